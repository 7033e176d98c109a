import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { createLogger } from '../platform/logger.ts';
import { EvidenceKeeper } from './evidence-keeper.ts';

it('removes what is beyond the bounds when it starts; a round that fails is logged, and the next one works', () => {
  const directory = temporaryDirectory('evidence');
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  const folder = join(directory, 'evidence');
  mkdirSync(folder);
  writeFileSync(join(folder, 'own_1.000001.journal'), 'xxx');
  const keeper = new EvidenceKeeper(directory, { keptMs: 60_000, bytesMax: 2 }, logger);
  onTestFinished(() => keeper.stop());
  keeper.start();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  keeper.round();
  rmSync(folder);
  keeper.round();
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  expect(messages).toEqual(['old journals were removed', 'old journals could not be removed']);
});
