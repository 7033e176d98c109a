import { setTimeout as sleep } from 'node:timers/promises';

import type { Hono } from 'hono';

import { isCode } from '../../contract/codes.ts';
import { explain } from '../../domain/explain.ts';
import { isId, requestTime } from '../../platform/ids.ts';
import type { RequestRow } from '../../stores/store.ts';
import { negotiate, refuse, refuseCaller, sendJson, sendPage } from './answers.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { renderExplain } from './render-explain.ts';
import { signPayLink, verifyExplainLink } from './signed-links.ts';
import { utcMinute } from './time-words.ts';
import { viewExplain, type ExplainLinks } from './view-explain.ts';

/** The log is written in batches: a row younger than this may still be on its way. */
const RECENT_MS = 5000;
const WAIT_MS = 1000;
const POLL_MS = 50;
const JSON_SUFFIX = '.json';

/** DIAG-01: why a request was answered as it was, for the owner of its key or whoever holds the signed link. */
export function mountExplainPage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/r/:id', (context) => {
    const name = context.req.param('id');
    const isJson = name.endsWith(JSON_SUFFIX);
    const id = isJson ? name.slice(0, -JSON_SUFFIX.length) : name;
    return sendExplanation(context, deps, { id, isJson });
  });
}

async function sendExplanation(
  context: PublicContext,
  deps: PublicDeps,
  asked: { readonly id: string; readonly isJson: boolean },
): Promise<Response> {
  const { id } = asked;
  const dialect = asked.isJson ? ('plain' as const) : undefined;
  const reader = await identifyReader(context, deps, id);
  if (reader.kind === 'refused') return refuseCaller(context, deps, reader, dialect);
  const row = await findRow(deps, id);
  // Somebody else's request looks like one that never was.
  if (row === undefined || (reader.kind === 'owner' && row.tenantId !== reader.tenantId)) {
    const details = { path: context.req.path };
    return refuse(context, deps, {
      code: 'NOT_FOUND',
      details,
      ...(dialect === undefined ? {} : { dialect }),
    });
  }
  const catalog = deps.catalog();
  const facts = unpackFacts(row.facts);
  if (facts === undefined) throw new TypeError('a row of the request log holds no facts');
  const view = explain(facts, { catalog, formatTime: utcMinute });
  const links = linksOf(deps, row.tenantId, view.code);
  if (asked.isJson || negotiate(context, 'json') !== 'html') {
    return sendJson(context, viewExplain(view, links, catalog.asset));
  }
  return sendPage(context, renderExplain(view, links));
}

type Reader =
  | { readonly kind: 'signed' }
  | { readonly kind: 'owner'; readonly tenantId: string }
  | Extract<Awaited<ReturnType<PublicDeps['identify']>>, { kind: 'refused' }>;

async function identifyReader(
  context: PublicContext,
  deps: PublicDeps,
  id: string,
): Promise<Reader> {
  const signature = context.req.query('s') ?? '';
  if (verifyExplainLink(id, signature, deps.signingSecret)) return { kind: 'signed' };
  const identity = await deps.identify(context.req.raw.headers);
  return identity.kind === 'key' ? { kind: 'owner', tenantId: identity.tenant.id } : identity;
}

async function findRow(deps: PublicDeps, id: string): Promise<RequestRow | undefined> {
  if (!isId('req', id)) return undefined;
  const isRecent = Math.abs(deps.now() - (requestTime(id) ?? 0)) < RECENT_MS;
  const attempts = isRecent ? WAIT_MS / POLL_MS : 0;
  for (let attempt = 0; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each look waits for the one before
    const row = await deps.store.request(id);
    if (row !== undefined || attempt >= attempts) return row;
    // oxlint-disable-next-line no-await-in-loop -- the pause between two looks
    await sleep(POLL_MS);
  }
}

function linksOf(deps: PublicDeps, tenantId: string, code: string | undefined): ExplainLinks {
  if (code === undefined || !isCode(code))
    return { payUrl: undefined, documentationUrl: undefined };
  const baseUrl = deps.publicUrl();
  const token =
    tenantId === '' ? undefined : signPayLink({ tenantId, cause: code }, deps.signingSecret);
  return {
    payUrl: token === undefined ? undefined : `${baseUrl}/pay/${token}`,
    documentationUrl: `${baseUrl}/errors/${code}`,
  };
}
