import type { RawHeaders } from '../listener.ts';
import type { Exchange } from './exchange.ts';

/** The upstream's headers as the route passes them on, then ours. A metered answer brings its own length, or has none. */
export function buildAnswerHeaders(
  exchange: Exchange,
  upstream: RawHeaders,
  ours: string[],
): RawHeaders {
  for (const part of exchange.corsHeaders) ours.push(part);
  const { route } = exchange;
  const compiled = route && exchange.compiled.routes.get(route);
  if (compiled === undefined) return ours;
  return compiled.responseHeaders.build(upstream, ours, route?.kind === 'proxy');
}

/** Value of the first header of this name (lower case); undefined = absent. */
export function readHeader(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i];
    if (
      candidate !== undefined &&
      candidate.length === name.length &&
      candidate.toLowerCase() === name
    )
      return headers[i + 1];
  }
  return undefined;
}
