const COUNT = /^\d+$/;
const COUNT_MAX = 2 ** 31;

/** RFC 9110 7.6.2: whether an OPTIONS has come to the last that it may reach. `value`: of its Max-Forwards, if any. */
export function isAtItsEnd(value: string | undefined): boolean {
  return value !== undefined && COUNT.test(value) && Number(value) === 0;
}

/** Max-Forwards of a request as it goes on. With other methods than OPTIONS (none is TRACE here) it means nothing. */
export function countForward(method: string, value: string): string {
  if (method !== 'OPTIONS' || !COUNT.test(value)) return value;
  return String(Math.min(Number(value), COUNT_MAX) - 1);
}
