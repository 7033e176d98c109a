// Loaded by a test into gateways under fire (NODE_OPTIONS): a journal that says it has written and has not. Whoever
// measures what a kill -9 loses has to see this.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { openSync, writeSync } = fs;
const journals = new Set();

fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  // A number is used again for another file once it was closed.
  if (String(path).endsWith('.journal')) journals.add(descriptor);
  else journals.delete(descriptor);
  return descriptor;
};

fs.writeSync = (descriptor, buffer, offset, length, ...rest) =>
  journals.has(descriptor) ? length : writeSync(descriptor, buffer, offset, length, ...rest);

syncBuiltinESMExports();
