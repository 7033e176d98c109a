import { expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildModel,
  buildPlan,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant } from '../../../test/support/build-key.ts';
import { openaiCompatible as provider } from '../../providers/openai-compatible/openai-compatible.ts';
import { KeyAccess } from './key-access.ts';
import { RefusedBodies } from './refused-bodies.ts';

const CATALOG = buildCatalog([buildPlan('free')]);
const newAccess = (): KeyAccess => new KeyAccess(buildKeyWithTenant(), CATALOG, AT);
const ACCESS = newAccess();
const ROUTE = buildRoute({ kind: 'chat' });
const ASKED = buildModel('m');

function callOf(text: string) {
  const body = Buffer.from(
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] }),
  );
  const parsed: unknown = JSON.parse(body.toString());
  const understood = provider.parseChat(parsed, body.length);
  if (understood.kind !== 'ok') throw new Error(understood.problem);
  const read = { parsed, asked: ASKED, provider, request: understood.request };
  return { route: ROUTE, access: ACCESS, body, ...read };
}

it('gives what the last refused body says to the same key, on the same route, for the same bytes', () => {
  const bodies = new RefusedBodies();
  const call = callOf('hello');
  expect(bodies.find(call)).toBeUndefined();
  bodies.keep(call);
  const again = callOf('hello');
  expect(bodies.find(again)).toMatchObject({ asked: ASKED, provider, request: call.request });
  expect(bodies.find(again)?.parsed).toBe(call.parsed);
  expect(bodies.find({ ...again, access: newAccess() })).toBeUndefined();
  expect(bodies.find({ ...again, route: buildRoute({ kind: 'chat' }) })).toBeUndefined();
  for (const other of ['hellO', 'hello!', '']) expect(bodies.find(callOf(other))).toBeUndefined();
});

it('the bytes it compares with are its own', () => {
  const bodies = new RefusedBodies();
  const call = callOf('hello');
  bodies.keep(call);
  call.body.fill(0);
  expect(bodies.find(call)).toBeUndefined();
  expect(bodies.find(callOf('hello'))?.parsed).toBe(call.parsed);
});

it('keeps one body for a key: the last', () => {
  const bodies = new RefusedBodies();
  for (const text of ['one', 'two']) bodies.keep(callOf(text));
  expect(bodies.find(callOf('one'))).toBeUndefined();
  expect(bodies.find(callOf('two'))).toBeDefined();
  expect(bodies.size).toBe(1);
});

it('keeps no long body, and none for more than a thousand keys', () => {
  const bodies = new RefusedBodies();
  const long = callOf('x'.repeat(4096));
  bodies.keep(long);
  expect(bodies.find(long)).toBeUndefined();
  for (let count = 0; count < 1500; count += 1)
    bodies.keep({ ...callOf('hello'), access: newAccess() });
  expect(bodies.size).toBe(1000);
});
