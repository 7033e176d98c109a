import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConfigSource } from './load-config.ts';

const FILE = new URL('./demo.yaml', import.meta.url);

/** What `tollkeeper dev` runs without a file of its own. */
export function readDemoConfig(): ConfigSource {
  return { text: readFileSync(FILE, 'utf8'), file: fileURLToPath(FILE) };
}
