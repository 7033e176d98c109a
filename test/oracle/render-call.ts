import type { Call, Shop } from './shop.ts';
import { CHAT_BYTES } from './street.ts';
import { doorOf } from './tolls.ts';

export interface RenderedCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The request that makes `call`, with the key `rawKey`. */
export function requestOf(shop: Shop, call: Call, rawKey: string | undefined): RenderedCall {
  const door = doorOf(shop, call);
  const speaks = door?.speaks === true;
  const body = speaks ? renderChat(call) : 'x'.repeat(call.bytes);
  return {
    method: call.wrongMethod ? 'DELETE' : (door?.method ?? 'GET'),
    path: renderPath(door?.path ?? '/nowhere', call),
    headers: renderHeaders(call, rawKey, speaks),
    body: body === '' ? undefined : body,
  };
}

function renderPath(place: string, { flags, thing }: Call): string {
  const query = [
    ...(flags.includes('render') ? ['render=true'] : []),
    ...(flags.includes('size') ? ['size=3'] : []),
  ];
  const path = `${place}${thing === undefined ? '' : `/${thing.slice(-1)}`}`;
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

function renderHeaders(
  { flags, user, writes }: Call,
  rawKey: string | undefined,
  speaks: boolean,
): Readonly<Record<string, string>> {
  return {
    ...(rawKey === undefined ? {} : { Authorization: `Bearer ${rawKey}` }),
    ...(flags.includes('proxy') ? { 'X-Proxy': 'residential' } : {}),
    ...(user === undefined ? {} : { 'X-User': user }),
    ...(speaks ? { 'X-Echo-Tokens': String(writes) } : {}),
  };
}

/** Exactly CHAT_BYTES long. */
function renderChat({ model, writes, flags }: Call): string {
  const say = (content: string): string =>
    JSON.stringify({
      model,
      max_tokens: writes,
      ...(flags.includes('remember') ? { persist_context: true } : {}),
      messages: [{ role: 'user', content }],
    });
  return say('x '.repeat(CHAT_BYTES).slice(0, CHAT_BYTES - say('').length));
}
