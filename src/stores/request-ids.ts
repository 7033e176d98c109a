import { requestTime } from '../platform/ids.ts';

/** Ids from `least` on and below `before`. */
export interface IdRange {
  readonly least: string;
  readonly before: string;
}

/** The last millisecond of a four-digit year. */
const MAX_TIME = 253_402_300_799_999;

/** Below every id made at `time`, and above all before. */
export function idAt(time: number): string {
  return `req_${time.toString(16).padStart(12, '0')}`;
}

/** Epoch ms of an id, or of what `idAt` made. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(4, 16), 16);
}

/** The next id there could be. */
export function idAfter(id: string): string {
  return `req_${(BigInt(`0x${id.slice(4)}`) + 1n).toString(16).padStart(32, '0')}`;
}

export function firstIdOf(day: string | undefined): string {
  return idAt(Date.parse(`${day}T00:00:00Z`));
}

export function dayOf(requestId: string): string | undefined {
  const time = requestTime(requestId);
  return time === undefined || time > MAX_TIME ? undefined : dayAt(time);
}

export function dayAt(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Whether requests can be searched by it. */
export function isTime(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0 && time <= MAX_TIME;
}
