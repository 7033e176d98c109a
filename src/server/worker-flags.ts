import { getHeapStatistics } from 'node:v8';

const MIB = 1024 * 1024;
/**
 * Where a heap may become 2 GiB, V8 lets garbage of the old space grow to four times what is alive before it collects it,
 * and below that to less than twice: a worker with 37 MB alive held 370 MB, and holds 230 (docs/decisions, "where the time went").
 */
const OLD_SPACE_MIB = 1536;
const OLD_SPACE_FLAG = /^--max[-_]old[-_]space[-_]size\b/;

/** How a worker's V8 differs from its default. What whoever starts the gateway says of its memory is left alone. */
export function workerFlags(
  given: readonly string[] = [
    ...process.execArgv,
    ...(process.env['NODE_OPTIONS'] ?? '').split(' '),
  ],
  heapBytesMax = getHeapStatistics().heap_size_limit,
): readonly string[] {
  // V8 learns while a process warms up which objects live long, and makes those in the old space from then on. What is
  // alive in a burst of first requests is not: their successors would all have to be collected there.
  const flags = ['--no-allocation-site-pretenuring'];
  const isSmall = heapBytesMax <= OLD_SPACE_MIB * MIB;
  if (isSmall || given.some((flag) => OLD_SPACE_FLAG.test(flag))) return flags;
  return [...flags, `--max-old-space-size=${OLD_SPACE_MIB}`];
}
