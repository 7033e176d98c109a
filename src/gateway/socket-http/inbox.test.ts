import { setImmediate as nextRound } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { Inbox, WAITING_BYTES_MAX } from './inbox.ts';
import { answerStage } from '../round.ts';

function openInbox(): { inbox: Inbox; delivered: string[] } {
  const delivered: string[] = [];
  const inbox = new Inbox(answerStage, (bytes) => void delivered.push(bytes.toString()));
  return { inbox, delivered };
}

describe('an inbox', () => {
  it('keeps what was read until its stage comes, and gives it out once', async () => {
    const { inbox, delivered } = openInbox();
    inbox.receive(Buffer.from('one'));
    expect(delivered).toEqual([]);
    expect(inbox.isFull).toBe(true);
    await nextRound();
    await nextRound();
    expect(delivered).toEqual(['one']);
    expect(inbox.isFull).toBe(false);
  });

  it('keeps one read only: a second is worked on at once, behind the first', async () => {
    const { inbox, delivered } = openInbox();
    inbox.receive(Buffer.from('one'));
    inbox.receive(Buffer.from('two'));
    expect(delivered).toEqual(['one', 'two']);
    await nextRound();
    expect(delivered).toEqual(['one', 'two']);
  });

  it('is full while the first of two reads is worked on', () => {
    const full: boolean[] = [];
    const inbox = new Inbox(answerStage, () => void full.push(inbox.isFull));
    inbox.receive(Buffer.from('one'));
    inbox.receive(Buffer.from('two'));
    expect(full).toEqual([true, false]);
  });

  it('keeps no more than its bound', () => {
    const { inbox, delivered } = openInbox();
    inbox.receive(Buffer.alloc(WAITING_BYTES_MAX + 1, 'x'));
    expect(delivered.map(({ length }) => length)).toEqual([WAITING_BYTES_MAX + 1]);
    inbox.receive(Buffer.alloc(WAITING_BYTES_MAX, 'x'));
    expect(delivered).toHaveLength(1);
    inbox.proceed();
    expect(delivered).toHaveLength(2);
  });

  it('gives out at once what must not be overtaken', async () => {
    const { inbox, delivered } = openInbox();
    inbox.receive(Buffer.from('last words'));
    inbox.proceed();
    expect(delivered).toEqual(['last words']);
    await nextRound();
    expect(delivered).toEqual(['last words']);
  });
});
