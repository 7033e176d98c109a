import type { Overrun } from '../stores/store.ts';
import type { JournalGroup } from './journal.ts';

export interface ReplayedCharges {
  /** Last sequence number of the journal. */
  readonly seq: number;
  /** Charged by groups the store has not seen, per lease. */
  readonly leases: readonly { readonly index: number; readonly charged: number }[];
  readonly overruns: readonly Overrun[];
}

/**
 * What a dead process owed when it died: every CHARGE and DONE after `lastSeq`, and for a stream
 * without DONE its last PROGRESS (DESIGN 5 "Journal"). Open streams are never part of a settlement,
 * so their PROGRESS counts whatever its sequence number.
 */
export function replayJournal(groups: readonly JournalGroup[], lastSeq: number): ReplayedCharges {
  const openStreams = new Map<string, JournalGroup>();
  const charged = new Map<number, number>();
  const overruns: Overrun[] = [];
  const add = (group: JournalGroup): void => {
    for (const { index, amount } of group.charges)
      charged.set(index, (charged.get(index) ?? 0) + amount);
    overruns.push(...group.overruns);
  };
  for (const group of groups) {
    if (group.kind === 'progress') {
      openStreams.set(group.requestId, group);
      continue;
    }
    openStreams.delete(group.requestId);
    if (group.seq > lastSeq) add(group);
  }
  for (const group of openStreams.values()) add(group);
  return {
    seq: groups.at(-1)?.seq ?? lastSeq,
    leases: [...charged].map(([index, amount]) => ({ index, charged: amount })),
    overruns,
  };
}
