import { formatUtcMinute } from '../../contract/problem-words.ts';
import { fullMinuteFrom } from '../../domain/explain-words.ts';

/** Epoch ms for machines: RFC 3339 in UTC. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

/** Epoch ms for people: `2026-12-01 00:00 UTC`. */
export function utcMinute(at: number): string {
  const iso = isoTime(at);
  return formatUtcMinute(iso) ?? iso;
}

/** The same for a time to wait for. */
export function utcMinuteFrom(at: number): string {
  return utcMinute(fullMinuteFrom(at));
}
