import { createPublicApp } from '../control/public/public-app.ts';
import type { PublicDeps } from '../control/public/public-deps.ts';
import { findKeyMistake } from '../domain/api-key.ts';
import type { Catalog } from '../domain/catalog.ts';
import type { LedgerEngine } from '../engine/ledger-engine.ts';
import { serveFetch } from '../gateway/fetch-bridge.ts';
import type { GatewayContext } from '../gateway/pipeline/context.ts';
import type { KeyDirectory } from '../gateway/pipeline/key-directory.ts';
import { readCredential } from '../gateway/pipeline/read-credential.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { RepeatLogger } from '../platform/repeat-logger.ts';
import { StoreError } from '../stores/store-error.ts';
import type { Store } from '../stores/store.ts';
import { isServedPath } from './own-paths.ts';
import { VERSION } from './version.ts';

export interface OwnPagesParts {
  readonly store: Store;
  readonly engine: LedgerEngine;
  readonly keys: KeyDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly repeats: RepeatLogger;
  readonly signingSecret: Uint8Array;
  readonly playMoney: boolean;
  readonly catalog: () => Catalog;
  readonly publicUrl: () => string;
  readonly draining: () => boolean;
  readonly rehearse: PublicDeps['rehearse'];
  readonly perform: PublicDeps['perform'];
}

/** The gateway's own paths (DESIGN 12): everything else is the provider's. */
export function createOwnPages(parts: OwnPagesParts): GatewayContext['servePage'] {
  const pages = createPublicApp({
    store: parts.store,
    catalog: parts.catalog,
    publicUrl: parts.publicUrl,
    now: parts.clock.now,
    signingSecret: parts.signingSecret,
    devMoney: parts.playMoney,
    version: VERSION,
    onError: (error, requestId) =>
      // A store that is away fails every page alike, and so does a plan that is not there its tenant's.
      (error instanceof StoreError ? parts.repeats : parts.logger).error(
        { request_id: requestId, error: error.stack ?? error.message },
        'a page failed',
      ),
    rehearse: parts.rehearse,
    perform: parts.perform,
    identify: (headers) => identifyReader(parts.keys, headers),
  });
  return (request, response, requestId) => {
    const path = pathOf(request.target);
    if (!isServedPath(path)) return false;
    if (path === '/healthz' || path === '/readyz') {
      const ready = path === '/healthz' || !parts.draining();
      const body = ready ? 'ok\n' : 'draining\n';
      response.writeHead(ready ? 200 : 503, [
        'Content-Type',
        'text/plain',
        'Content-Length',
        String(body.length),
        'X-Request-Id',
        requestId,
        // Whoever takes its place, or the next gateway behind a balancer, serves at once.
        ...(ready ? [] : ['Retry-After', '1']),
      ]);
      response.end(request.method === 'HEAD' ? undefined : body);
      return true;
    }
    const { remoteAddress } = request;
    serveFetch(
      {
        fetch: (asked) => pages.fetch(asked, { requestId, remoteAddress }),
        refuseBody: (asked, allowedBytes) =>
          pages.fetch(asked, { requestId, remoteAddress, allowedBytes }),
      },
      parts.publicUrl(),
      request,
      response,
    );
    return true;
  };
}

/** A key that cannot be looked up, or whose plan has left the configuration, is 503 here as it is on a route (DESIGN 1). */
async function identifyReader(
  keys: Pick<KeyDirectory, 'identify'>,
  headers: Headers,
): ReturnType<PublicDeps['identify']> {
  try {
    const sent = readCredential([...headers].flat());
    const found = await keys.identify(sent);
    if (found.kind === 'refused') {
      const isUnknown = found.code === 'KEY_UNKNOWN' && sent !== undefined;
      return { ...found, mistake: isUnknown ? findKeyMistake(sent) : undefined };
    }
    return { kind: 'key', key: found.access.key, tenant: found.access.tenant };
  } catch (error) {
    throw new StoreError('unavailable', `the key could not be looked up: ${String(error)}`);
  }
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
