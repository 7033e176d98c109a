import { expect, it } from 'vitest';

import { workerFlags } from './worker-flags.ts';

const GIB = 1024 ** 3;

it('bounds the heap of a large machine, below where V8 lets garbage pile up', () => {
  expect(workerFlags([], 4 * GIB)).toContain('--max-old-space-size=1536');
});

it.each([
  ['a machine whose heap is smaller anyway', [], GIB],
  ['whoever chose another size', ['--max-old-space-size=8192'], 8 * GIB],
  ['whoever chose it in the other spelling', ['--inspect', '--max_old_space_size=512'], GIB],
])('leaves the heap alone of %s', (_, given, bytes) => {
  expect(workerFlags(given, bytes).filter((flag) => flag.includes('old'))).toEqual([]);
});
