import { setTimeout as sleep } from 'node:timers/promises';

import type { Facts } from '../../domain/facts.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import { isId, requestTime } from '../../platform/ids.ts';
import type { RequestRow } from '../../stores/store.ts';
import { negotiate, refuse, refuseCaller } from './answers.ts';
import { lookInTime } from './look-in-time.ts';
import type { PublicContext, PublicDeps } from './public-deps.ts';
import { createRedact, redactAll } from './redact.ts';
import { verifyExplainLink } from './signed-links.ts';

/** The log is written in batches: a row younger than this may still be on its way. */
const RECENT_MS = 5000;
const WAIT_MS = 1000;
const POLL_MS = 50;

/** A request that somebody may read about. */
export interface ReadableRequest {
  readonly id: string;
  /** Empty for a request of nobody in particular. */
  readonly tenantId: string;
  /** Without whatever looks like a secret: everything that is shown is made from them. */
  readonly facts: Facts;
  /** `?s=...` of the signed link it was opened with, for links to its other pages; empty for the key's owner. */
  readonly query: string;
}

/** The request, for the owner of its key or whoever holds its signed link; else the answer that says no. */
export async function readRequest(
  context: PublicContext,
  deps: PublicDeps,
  asked: { readonly id: string; readonly format: 'json' | undefined },
): Promise<ReadableRequest | Response> {
  const { id } = asked;
  const reading = asked.format === 'json' ? { accept: 'application/json' } : {};
  const reader = await identifyReader(context, deps, id);
  if (reader.kind === 'refused') return refuseCaller(context, deps, reader, reading);
  const row = await findRow(deps, id);
  // Somebody else's request looks like one that never was.
  if (row === undefined || (reader.kind === 'owner' && row.tenantId !== reader.tenantId)) {
    return refuse(context, deps, {
      code: 'NOT_FOUND',
      details: { path: context.req.path },
      ...reading,
    });
  }
  const facts = unpackFacts(row.facts);
  if (facts === undefined) throw new TypeError('a row of the request log holds no facts');
  return {
    id,
    tenantId: row.tenantId,
    facts: redactAll(facts, createRedact(deps.catalog())),
    query: reader.kind === 'signed' ? `?s=${encodeURIComponent(reader.signature)}` : '',
  };
}

/** What the page is asked as: `/r/{id}.json` says it in the address, everybody else in `Accept`. */
export function formatOf(context: PublicContext, suffix: 'json' | undefined): 'html' | 'json' {
  return suffix ?? negotiate(context, 'json', 'html');
}

type Reader =
  | { readonly kind: 'signed'; readonly signature: string }
  | { readonly kind: 'owner'; readonly tenantId: string }
  | Extract<Awaited<ReturnType<PublicDeps['identify']>>, { kind: 'refused' }>;

async function identifyReader(
  context: PublicContext,
  deps: PublicDeps,
  id: string,
): Promise<Reader> {
  const signature = context.req.query('s') ?? '';
  if (verifyExplainLink(id, signature, deps.signingSecret)) return { kind: 'signed', signature };
  const identity = await deps.identify(context.req.raw.headers);
  return identity.kind === 'key' ? { kind: 'owner', tenantId: identity.tenant.id } : identity;
}

async function findRow(deps: PublicDeps, id: string): Promise<RequestRow | undefined> {
  if (!isId('req', id)) return undefined;
  const isRecent = Math.abs(deps.now() - (requestTime(id) ?? 0)) < RECENT_MS;
  const attempts = isRecent ? WAIT_MS / POLL_MS : 0;
  for (let attempt = 0; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each look waits for the one before
    const row = await lookInTime(deps.store.request(id));
    if (row !== undefined || attempt >= attempts) return row;
    // oxlint-disable-next-line no-await-in-loop -- the pause between two looks
    await sleep(POLL_MS);
  }
}
