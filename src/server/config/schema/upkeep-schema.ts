import { z } from 'zod';

import { byteSize, duration } from './parts.ts';

const TIB = 1024 ** 4;

export const journalSchema = z.strictObject({
  keep: duration({ min: '0s', max: '24d' })
    .prefault('7d')
    .describe('How long settled journals are kept on this machine, as evidence; 0s = not at all.'),
  keep_max: byteSize({ min: 0, max: TIB })
    .prefault('1GiB')
    .describe('Most bytes of them; the oldest go first.'),
});

export const jobsSchema = z.strictObject({
  reconcile: duration({ min: '1s', max: '24d' })
    .prefault('24h')
    .describe(
      'How often one of the machines recomputes the books and raises alarm on a difference.',
    ),
});
