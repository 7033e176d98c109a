import type { Model } from '../../domain/catalog.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { RepeatLogger } from '../../platform/repeat-logger.ts';
import type { AddressLimiter } from '../address-limiter.ts';
import type { InboundRequest, InboundResponse } from '../listener.ts';
import type { UpstreamClient } from '../upstream.ts';
import type { CompiledCatalog } from './compile-catalog.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { RequestRecorder } from './request-recorder.ts';

/** Counts text exactly, off the event loop. */
export interface TokenCounter {
  count(text: string): Promise<number>;
}

/** Signed links a refusal carries. */
export interface Links {
  payLink(tenantId: string, cause: string): string;
  /** Undefined = nothing is kept of this request that could be shown. */
  explainLink(requestId: string): string | undefined;
}

/** Everything the pipeline works with; made by the composition root. */
export interface GatewayContext {
  readonly compiled: () => CompiledCatalog;
  readonly engine: Engine;
  readonly keys: KeyDirectory;
  readonly recorder: Pick<RequestRecorder, 'add'>;
  readonly metrics: Pick<GatewayMetrics, 'count'>;
  readonly upstreams: UpstreamClient;
  /** How a model's provider is spoken; without a model, how a body is checked all the same. */
  readonly providerFor: (model: Model | undefined) => Provider;
  readonly tokenizer: TokenCounter;
  readonly links: Links;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For what each call may meet again. */
  readonly repeats: RepeatLogger;
  /** Public origin, no slash at the end. */
  readonly publicUrl: () => string;
  /** The gateway's own paths (`/v1/usage`, `/pay/...`); false = not one of them. */
  readonly servePage: (
    request: InboundRequest,
    response: InboundResponse,
    requestId: string,
  ) => boolean;
  readonly trustsForwarded: (remoteAddress: string) => boolean;
  /** As many requests are under way as are taken on, the one that asks included. */
  readonly isOverloaded: () => boolean;
  /** Undefined = callers are not limited by address. */
  readonly addressLimiter: AddressLimiter | undefined;
}
