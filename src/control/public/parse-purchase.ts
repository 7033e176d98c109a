import { z } from 'zod';

import type { PublicContext } from './public-deps.ts';
import { readMembers } from './read-members.ts';

/** What is paid for: something on sale, all that is due, or use beyond the plan. */
export type Wanted =
  | { readonly kind: 'pack' | 'plan' | 'add_on'; readonly id: string }
  | { readonly kind: 'due' | 'overage' };

/** What is bought, and the key that makes a repetition harmless. */
export interface Purchase {
  readonly wanted: Wanted;
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
  add_on: id.optional(),
  pay: z.literal('due').optional(),
  allow: z.literal('overage').optional(),
  nonce: z.string().optional(),
});
type Body = z.infer<typeof bodySchema>;

const ONE_OF =
  'send exactly one of "plan", "pack" and "add_on" with the id of what to buy, "pay": "due", or "allow": "overage"';

/** A form's fields or a JSON object, with `nonce` unless the header Idempotency-Key is sent. */
export async function parsePurchase(context: PublicContext): Promise<ParsedPurchase> {
  const members = await readMembers(context);
  if (typeof members === 'string') return { kind: 'invalid', reason: members };
  const parsed = bodySchema.safeParse(members);
  if (!parsed.success) return describeIssue(parsed.error);
  const wanted = readWanted(parsed.data);
  if (wanted === undefined) return { kind: 'invalid', reason: ONE_OF };
  const idempotencyKey = context.req.header('idempotency-key') ?? parsed.data.nonce;
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const reason = 'header Idempotency-Key (or nonce): send 1 to 255 visible ASCII characters';
    return { kind: 'invalid', reason };
  }
  return { kind: 'ok', purchase: { wanted, idempotencyKey } };
}

/** Undefined when none or several are there. */
function readWanted({ pack, plan, add_on: addOn, pay, allow }: Body): Wanted | undefined {
  const wanted = [
    pack === undefined ? undefined : { kind: 'pack' as const, id: pack },
    plan === undefined ? undefined : { kind: 'plan' as const, id: plan },
    addOn === undefined ? undefined : { kind: 'add_on' as const, id: addOn },
    pay === undefined ? undefined : { kind: 'due' as const },
    allow === undefined ? undefined : { kind: 'overage' as const },
  ].filter((each) => each !== undefined);
  return wanted.length === 1 ? wanted[0] : undefined;
}

function describeIssue(error: z.ZodError): ParsedPurchase {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    return { kind: 'invalid', reason: `unknown member "${issue.keys[0] ?? ''}"; ${ONE_OF}` };
  }
  const member = issue?.path[0];
  if (member === undefined) {
    return { kind: 'invalid', reason: 'the body must be an object such as {"pack": "small"}' };
  }
  const reason =
    issue?.code === 'invalid_value' ? ONE_OF : 'must be an id, a text of 1 to 64 characters';
  return { kind: 'invalid', reason, pointer: `/${String(member)}` };
}
