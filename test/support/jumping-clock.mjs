// Loaded by a test into a gateway (NODE_OPTIONS): somebody sets the clock of its machine while it runs. The file named by
// JUMPING_CLOCK says by how many milliseconds; what is monotonic goes on, as it does on a real machine.
import { readFileSync, watchFile } from 'node:fs';

const file = process.env['JUMPING_CLOCK'];
const { now } = Date;
let shiftMs = 0;

const read = () => {
  shiftMs = Number(readFileSync(file, 'utf8'));
};
if (file !== undefined) {
  read();
  watchFile(file, { interval: 20, persistent: false }, read);
  Date.now = () => now() + shiftMs;
}
