import { timingSafeEqual } from 'node:crypto';

import { KeyedHash } from '../../platform/keyed-hash.ts';

/** What a pay link is for. The same tenant and cause give the same link, so that a bookmark stays good (DESIGN 10). */
export interface PayLink {
  readonly tenantId: string;
  /** The code of the refusal that led here. */
  readonly cause: string;
  /** What the refused call needed at least, when that is worth telling. */
  readonly amountNano: bigint | undefined;
}

/** What RFC 2104 section 5 advises is half a digest of 256 bits, at least. */
const SIGNATURE_BYTES = 16;
/** Of base64url, 6 bits each: 132 bits. */
const SIGNATURE_CHARACTERS = 22;
const PAYLOAD_BYTES_MAX = 200;
const PREFIX = 'pl_';
const OWN_TENANT_ID = /^ten_([0-9a-f]{32})$/;
const CAUSE = /^[A-Z0-9_]{1,64}$/;

/** `pl_` and base64url of the payload and its signature: 75 to 110 characters for ids of ours. */
export function signPayLink(
  link: { readonly tenantId: string; readonly cause: string; readonly amountNano?: bigint },
  secret: Uint8Array,
): string {
  const payload = encodePayLink(link);
  return PREFIX + Buffer.concat([payload, signPayload(payload, secret)]).toString('base64url');
}

/** Undefined for anything that `signPayLink` did not make with this secret. */
export function verifyPayLink(token: string, secret: Uint8Array): PayLink | undefined {
  if (!token.startsWith(PREFIX)) return undefined;
  const bytes = decodeBase64url(token.slice(PREFIX.length), PAYLOAD_BYTES_MAX + SIGNATURE_BYTES);
  if (bytes === undefined || bytes.length <= SIGNATURE_BYTES) return undefined;
  const payload = bytes.subarray(0, -SIGNATURE_BYTES);
  const isOurs = timingSafeEqual(bytes.subarray(-SIGNATURE_BYTES), signPayload(payload, secret));
  return isOurs ? decodePayLink(payload) : undefined;
}

/** The `s` of `/r/{requestId}?s=...`: lets whoever got the answer read why, without a key. */
export function signExplainLink(requestId: string, secret: Uint8Array): string {
  return sign('explain', requestId, secret);
}

export function verifyExplainLink(
  requestId: string,
  signature: string,
  secret: Uint8Array,
): boolean {
  const given = Buffer.from(signature);
  if (given.length !== SIGNATURE_CHARACTERS) return false;
  return timingSafeEqual(given, Buffer.from(signExplainLink(requestId, secret)));
}

function signPayload(payload: Buffer, secret: Uint8Array): Buffer {
  const signature = Buffer.from(sign('pay', payload.toString('latin1'), secret), 'base64url');
  return signature.subarray(0, SIGNATURE_BYTES);
}

/** `purpose` keeps one kind of link from standing in for the other. */
function sign(purpose: 'pay' | 'explain', message: string, secret: Uint8Array): string {
  let keyed = keyedHashes.get(secret);
  if (keyed === undefined) {
    keyed = new KeyedHash(secret);
    keyedHashes.set(secret, keyed);
  }
  return keyed.digest(`tollkeeper ${purpose} link 1\n${message}`).slice(0, SIGNATURE_CHARACTERS);
}

/** By secret: of which a process has one. */
const keyedHashes = new WeakMap<Uint8Array, KeyedHash>();

/** One byte tells how the tenant id is written: 0 = the 16 bytes of our own ids, else the length of its text. */
function encodePayLink(link: Parameters<typeof signPayLink>[0]): Buffer {
  const own = OWN_TENANT_ID.exec(link.tenantId)?.[1];
  const tenant = own === undefined ? Buffer.from(link.tenantId) : Buffer.from(own, 'hex');
  const amount = link.amountNano === undefined ? '' : ` ${link.amountNano}`;
  const payload = Buffer.concat([
    Buffer.of(own === undefined ? tenant.length : 0),
    tenant,
    Buffer.from(link.cause + amount),
  ]);
  const valid = CAUSE.test(link.cause) && payload.length <= PAYLOAD_BYTES_MAX && tenant.length > 0;
  if (!valid) throw new RangeError(`not a pay link: ${link.tenantId} ${link.cause}`);
  return payload;
}

/** The signature vouches for the form: nothing here can be wrong unless the secret is out. */
function decodePayLink(payload: Buffer): PayLink {
  const own = payload[0] === 0;
  const end = 1 + (own ? 16 : (payload[0] ?? 0));
  const tenant = payload.subarray(1, end);
  const [cause = '', amount] = payload.subarray(end).toString().split(' ');
  return {
    tenantId: own ? `ten_${tenant.toString('hex')}` : tenant.toString(),
    cause,
    amountNano: amount === undefined ? undefined : BigInt(amount),
  };
}

/** Strict: Node's decoder skips what it does not know, and one link must not have many spellings. */
function decodeBase64url(text: string, bytesMax: number): Buffer | undefined {
  if (text.length > Math.ceil((bytesMax * 4) / 3)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
