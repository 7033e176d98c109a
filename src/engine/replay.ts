import type { Overrun, ReclaimRecords } from '../stores/store.ts';
import type { JournalGroup } from './journal.ts';

export type ReplayedCharges = Omit<ReclaimRecords, 'afterSeq'>;

/**
 * What a dead process owed when it died: every CHARGE and DONE after `lastSeq`, and for a stream
 * without DONE its last PROGRESS (DESIGN 5 "Journal"). Open streams are never part of a settlement,
 * so their PROGRESS counts whatever its sequence number; that of before `lastSeq` is told apart.
 */
export function replayJournal(groups: readonly JournalGroup[], lastSeq: number): ReplayedCharges {
  const openStreams = new Map<string, JournalGroup>();
  const charged = new Map<number, number>();
  const unended = new Map<number, number>();
  const overruns: Overrun[] = [];
  const add = (group: JournalGroup, sums: Map<number, number>): void => {
    for (const { index, amount } of group.charges) sums.set(index, (sums.get(index) ?? 0) + amount);
    overruns.push(...group.overruns);
  };
  for (const group of groups) {
    if (group.kind === 'progress') {
      openStreams.set(group.requestId, group);
      continue;
    }
    openStreams.delete(group.requestId);
    if (group.seq > lastSeq) add(group, charged);
  }
  for (const group of openStreams.values()) add(group, group.seq > lastSeq ? charged : unended);
  return {
    seq: groups.at(-1)?.seq ?? lastSeq,
    leases: listSums(charged),
    unended: listSums(unended),
    overruns,
  };
}

function listSums(sums: ReadonlyMap<number, number>): ReclaimRecords['leases'] {
  return [...sums].map(([index, amount]) => ({ index, charged: amount }));
}
