import { z } from 'zod';

import type { PublicContext } from './public-deps.ts';
import { readMembers } from './read-members.ts';

/** What is bought, and the key that makes a repetition harmless. */
export interface Purchase {
  readonly kind: 'pack' | 'plan';
  readonly id: string;
  /** Undefined = the caller sent none: then every POST is a purchase of its own. */
  readonly idempotencyKey: string | undefined;
}
export type ParsedPurchase =
  | { readonly kind: 'ok'; readonly purchase: Purchase }
  | { readonly kind: 'invalid'; readonly reason: string; readonly pointer?: string };

/** The one form of DESIGN 5's idempotency keys: visible ASCII. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

const id = z.string().min(1).max(64);
const bodySchema = z.strictObject({
  pack: id.optional(),
  plan: id.optional(),
  nonce: z.string().optional(),
});

/** A form's fields or a JSON object: `pack` or `plan`, and `nonce` unless the header Idempotency-Key is sent. */
export async function parsePurchase(context: PublicContext): Promise<ParsedPurchase> {
  const members = await readMembers(context);
  if (typeof members === 'string') return { kind: 'invalid', reason: members };
  const parsed = bodySchema.safeParse(members);
  if (!parsed.success) return describeIssue(parsed.error);
  const { pack, plan, nonce } = parsed.data;
  if ((pack === undefined) === (plan === undefined)) {
    return { kind: 'invalid', reason: 'send either "pack" or "plan", with the id of what to buy' };
  }
  const idempotencyKey = context.req.header('idempotency-key') ?? nonce;
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const reason = 'header Idempotency-Key (or nonce): send 1 to 255 visible ASCII characters';
    return { kind: 'invalid', reason };
  }
  const bought =
    pack === undefined
      ? { kind: 'plan' as const, id: plan ?? '' }
      : { kind: 'pack' as const, id: pack };
  return { kind: 'ok', purchase: { ...bought, idempotencyKey } };
}

function describeIssue(error: z.ZodError): ParsedPurchase {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const reason = `unknown member "${issue.keys[0] ?? ''}"; "pack", "plan" and "nonce" are known`;
    return { kind: 'invalid', reason };
  }
  const member = issue?.path[0];
  if (member === undefined) {
    return { kind: 'invalid', reason: 'the body must be an object such as {"pack": "small"}' };
  }
  return {
    kind: 'invalid',
    reason: 'must be an id, a text of 1 to 64 characters',
    pointer: `/${String(member)}`,
  };
}
