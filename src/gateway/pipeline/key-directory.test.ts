import { createHash } from 'node:crypto';

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { AT, buildCatalog, buildPlan } from '../../../test/support/build-catalog.ts';
import { buildKey, buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { API_KEY_RANDOM_BYTES, formatApiKey } from '../../domain/api-key.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import type { DirectoryStore, KeyWithTenant, Store } from '../../stores/store.ts';
import { type Identification, KeyDirectory } from './key-directory.ts';

const CATALOG = buildCatalog([buildPlan('free'), buildPlan('pro', { priceNano: 1n })]);

/** Keys that differ, cheaply and the same in every run. */
function keyOf(number: number): string {
  const bytes = createHash('sha256').update(String(number)).digest();
  return formatApiKey('test', bytes.subarray(0, API_KEY_RANDOM_BYTES));
}
const KEY = keyOf(0);

/** The store behind, and how often it was asked. */
class Asked implements Pick<DirectoryStore, 'findKey'> {
  count = 0;
  readonly #find: (hash: string) => Promise<KeyWithTenant | undefined>;
  constructor(find: (hash: string) => Promise<KeyWithTenant | undefined>) {
    this.#find = find;
  }
  findKey(hash: string): Promise<KeyWithTenant | undefined> {
    this.count += 1;
    return this.#find(hash);
  }
}

let store: Store;
let asked: Asked;
let clock: ManualClock;
let keys: KeyDirectory;

beforeEach(async () => {
  store = await openSqliteStore({ directory: temporaryDirectory('keys') });
  onTestFinished(() => store.close());
  await store.createTenant(buildTenant());
  asked = new Asked((hash) => store.findKey(hash));
  clock = new ManualClock();
  keys = new KeyDirectory(asked, clock, () => CATALOG);
});

function codeOf(found: Identification): string {
  return found.kind === 'refused' ? found.code : found.access.plan.id;
}

describe('KeyDirectory (KEY-01)', () => {
  it.each([
    ['no key', undefined, 'KEY_MISSING'],
    ['an empty key', '', 'KEY_MISSING'],
    ['a key with a typo', `${KEY.slice(0, -1)}${KEY.endsWith('A') ? 'B' : 'A'}`, 'KEY_UNKNOWN'],
    ['something else', 'sk-proj-123', 'KEY_UNKNOWN'],
  ])('%s is refused at once, without asking the store', (_what, rawKey, code) => {
    expect(keys.identify(rawKey)).toMatchObject({ kind: 'refused', code, since: undefined });
    expect(asked.count).toBe(0);
  });

  it('asks once for a key that exists, then answers at once', async () => {
    await store.createKey(buildKey(KEY));
    const first = await keys.identify(KEY);
    expect(first).toMatchObject({ kind: 'key', access: { key: { id: 'key_1' } } });
    expect(keys.identify(KEY)).toBe(first);
    expect(asked.count).toBe(1);
  });

  it('calls with a new key share one question, unless there was news since', async () => {
    await store.createKey(buildKey(KEY));
    const [first, second] = [keys.identify(KEY), keys.identify(KEY)];
    keys.hear([{ kind: 'key', id: 'another' }]);
    const third = keys.identify(KEY);
    const found = await Promise.all([first, second, third]);
    expect(found.map(codeOf)).toEqual(['free', 'free', 'free']);
    expect(asked.count).toBe(2);
  });

  it('DESIGN 10: a store that does not answer is waited for a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    keys = new KeyDirectory({ findKey: () => new Promise(() => undefined) }, clock, () => CATALOG);
    const waiting = keys.identify(KEY);
    vi.advanceTimersByTime(1000);
    await expect(waiting).rejects.toThrow('took longer than 1000 ms');
  });

  it('GW-03: a process that stood still looks every key up again, whatever it was last told', async () => {
    await store.createKey(buildKey(KEY));
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    for (let idle = 0; idle < 10; idle += 1) {
      clock.advance(500);
      keys.noteAwake();
    }
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    expect(asked.count).toBe(1);
    clock.advance(1001);
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    expect(asked.count).toBe(2);
  });

  it('remembers for a second that a key does not exist; its creation ends that at once', async () => {
    expect(codeOf(await keys.identify(KEY))).toBe('KEY_UNKNOWN');
    expect(keys.identify(KEY)).toMatchObject({ code: 'KEY_UNKNOWN' });
    clock.advance(1000);
    expect(codeOf(await keys.identify(KEY))).toBe('KEY_UNKNOWN');
    expect(asked.count).toBe(2);
    await store.createKey(buildKey(KEY));
    keys.hear([{ kind: 'key', id: buildKey(KEY).hash }]);
    expect(codeOf(await keys.identify(KEY))).toBe('free');
  });

  it('refuses a revoked key with its time, and an expired one from its very millisecond', async () => {
    await store.createKey(buildKey(KEY, { expiresAt: AT + 500 }));
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    clock.advance(499);
    expect(keys.identify(KEY)).toMatchObject({ kind: 'key' });
    clock.advance(1);
    expect(keys.identify(KEY)).toMatchObject({ code: 'KEY_EXPIRED', since: AT + 500 });
    await store.revokeKey('key_1', AT + 7);
    keys.hear([{ kind: 'key', id: buildKey(KEY).hash }]);
    expect(await keys.identify(KEY)).toMatchObject({ code: 'KEY_REVOKED', since: AT + 7 });
  });

  it('a changed tenant, and a new configuration, are looked up again; another tenant is not', async () => {
    await store.createKey(buildKey(KEY));
    await keys.identify(KEY);
    await store.changeTenant('ten_1', { planId: 'pro' });
    keys.hear([
      { kind: 'tenant', id: 'ten_2' },
      { kind: 'rates', id: '' },
    ]);
    expect(keys.identify(KEY)).toMatchObject({ access: { plan: { id: 'free' } } });
    keys.hear([{ kind: 'tenant', id: 'ten_1' }]);
    expect(codeOf(await keys.identify(KEY))).toBe('pro');
    keys.forgetAll();
    expect(codeOf(await keys.identify(KEY))).toBe('pro');
    expect(asked.count).toBe(3);
  });

  it('keys of one tenant share what is worked out of it, and a change of it is seen by the next', async () => {
    await store.createKey(buildKey(KEY));
    await store.createKey(buildKey(keyOf(1), { id: 'key_2' }));
    await store.createKey(buildKey(keyOf(2), { id: 'key_3' }));
    const [one, other] = [await keys.identify(KEY), await keys.identify(keyOf(1))];
    if (one.kind !== 'key' || other.kind !== 'key') throw new Error('a key is unknown');
    expect(other.access.siblings).toBe(one.access.siblings);
    await store.changeTenant('ten_1', { planId: 'pro' });
    expect(codeOf(await keys.identify(keyOf(2)))).toBe('pro');
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    keys.hear([{ kind: 'tenant', id: 'ten_1' }]);
    expect(codeOf(await keys.identify(KEY))).toBe('pro');
  });

  it('PLAN-16: news of a tenant reaches the keys of all below it, also of where it hung before', async () => {
    for (const id of ['org', 'other']) await store.createTenant(buildTenant({ id }));
    await store.changeTenant('ten_1', { terms: { parentId: 'org', pooled: true } });
    await store.createKey(buildKey(KEY));
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    await store.changeTenant('org', { planId: 'pro' });
    keys.hear([{ kind: 'tenant', id: 'org' }]);
    expect(codeOf(await keys.identify(KEY))).toBe('pro');
    await store.changeTenant('ten_1', { terms: { parentId: 'other' } });
    keys.hear([{ kind: 'tenant', id: 'ten_1' }]);
    expect(codeOf(await keys.identify(KEY))).toBe('free');
    await store.changeTenant('org', { planId: 'free' });
    keys.hear([{ kind: 'tenant', id: 'org' }]);
    await keys.identify(KEY);
    expect(asked.count).toBe(3);
  });

  it('KEY-01, KEY-02: news of a key brings its terms, and its old secret is unknown', async () => {
    await store.createKey(buildKey(KEY));
    await keys.identify(KEY);
    const { hash } = buildKey(KEY);
    await store.changeKey('key_1', { terms: { roles: ['reader'] } });
    keys.hear([{ kind: 'key', id: hash }]);
    const changed = await keys.identify(KEY);
    expect(changed).toMatchObject({ access: { key: { terms: { roles: ['reader'] } } } });
    const secret = { hash: buildKey(keyOf(1)).hash, hint: 'tk_test_...1111' };
    await store.changeKey('key_1', { secret });
    expect(codeOf(await keys.identify(keyOf(1)))).toBe('free');
    keys.hear([
      { kind: 'key', id: hash },
      { kind: 'key', id: secret.hash },
    ]);
    expect(codeOf(await keys.identify(KEY))).toBe('KEY_UNKNOWN');
    expect(await keys.identify(keyOf(1))).toMatchObject({ access: { key: { id: 'key_1' } } });
  });

  it('a tenant on a plan that the configuration lacks is our fault, named', async () => {
    await store.createKey(buildKey(KEY));
    await store.changeTenant('ten_1', { planId: 'gone' });
    await expect(keys.identify(KEY)).rejects.toThrow('plan gone, which the configuration');
  });

  it('bound: 10,000 keys that do not exist are remembered, then that memory begins anew', async () => {
    asked = new Asked(() => Promise.resolve(undefined));
    keys = new KeyDirectory(asked, clock, () => CATALOG);
    for (let i = 0; i < 10_000; i += 1) await keys.identify(keyOf(i));
    await keys.identify(KEY);
    expect(asked.count).toBe(10_000);
    await keys.identify(keyOf(10_000));
    await keys.identify(KEY);
    expect(asked.count).toBe(10_002);
  });

  it('bound: of more than 100,000 keys the one known longest is forgotten', async () => {
    asked = new Asked((hash) => Promise.resolve(buildKeyWithTenant({ hash })));
    keys = new KeyDirectory(asked, clock, () => CATALOG);
    for (let i = 0; i < 100_001; i += 1) await keys.identify(keyOf(i));
    expect(keys.identify(keyOf(1))).not.toBeInstanceOf(Promise);
    expect(keys.identify(keyOf(0))).toBeInstanceOf(Promise);
    expect(asked.count).toBe(100_002);
  });
});
