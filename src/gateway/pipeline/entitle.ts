import type { EntitlementFact } from '../../domain/facts.ts';
import type { AskedRequest } from './asked-request.ts';
import type { Exchange } from './exchange.ts';
import { firstOf, judgeRequirements, type PendingEntitlement } from './requirements.ts';
import type { RouteGate } from './route-gate.ts';
import { isRefusedByStanding, withholdService } from './stand.ts';

/** Notes what this call needs beyond its price: features, purchases, and room for its body (GW-19, PLAN-06). */
export function entitle(
  exchange: Exchange,
  gate: RouteGate | undefined,
  asked: AskedRequest,
): void {
  const { access } = exchange;
  if (gate !== undefined && gate.requirements.length > 0) {
    const found = judgeRequirements(gate.requirements, asked, exchange.path, access?.plan);
    exchange.entitlements = [...exchange.entitlements, ...found.entitlements];
    exchange.pendingEntitlement = found.pending;
    withholdFeatures(exchange, found.entitlements);
  }
  const bytesMax = access?.gate?.fileBytesMax;
  if (bytesMax !== undefined) noteFileSize(exchange, asked.bodyBytes, bytesMax);
}

/** Whether standing or an entitlement speaks against the call. */
export function isHeldBack(exchange: Exchange): boolean {
  if (isRefusedByStanding(exchange)) return true;
  for (const { granted } of exchange.entitlements) {
    if (!granted) return true;
  }
  return false;
}

/** A body of unknown length has come to where it needs more than the plan grants. */
export function takePending(exchange: Exchange, { entitlement }: PendingEntitlement): void {
  exchange.pendingEntitlement = undefined;
  const fact =
    entitlement.kind === 'file_size' ? { ...entitlement, needed: exchange.bytesIn } : entitlement;
  exchange.entitlements = [...exchange.entitlements, fact];
}

/** The entitlement to send a body of so many bytes, as it is granted where at most `bytesMax` are. */
export function fileSizeFact(needed: number, bytesMax: number | undefined): EntitlementFact {
  if (bytesMax === undefined) return { kind: 'file_size', id: 'plan', granted: true, needed };
  const granted = needed <= bytesMax;
  return { kind: 'file_size', id: 'plan', granted, needed, allowed: bytesMax };
}

function noteFileSize(exchange: Exchange, bytes: number, bytesMax: number): void {
  if (bytes > 0) {
    exchange.entitlements = [...exchange.entitlements, fileSizeFact(bytes, bytesMax)];
  } else if (bytes < 0) {
    const entitlement = fileSizeFact(bytesMax + 1, bytesMax);
    exchange.pendingEntitlement = firstOf(exchange.pendingEntitlement, { bytesMax, entitlement });
  }
}

/** Features that rest while a payment is pending are not bought again with a bigger plan: the standing refuses. */
function withholdFeatures(exchange: Exchange, needed: readonly EntitlementFact[]): void {
  const withheld = exchange.degraded?.withheldFeatures ?? [];
  if (withheld.length === 0) return;
  if (needed.some(({ kind, id }) => kind === 'feature' && withheld.includes(id))) {
    withholdService(exchange);
  }
}
