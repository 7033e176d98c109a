/** A day, or a time with its zone, as RFC 3339 writes it. */
const WRITTEN = /^(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;

/** Epoch ms of a day (midnight UTC) or a time; undefined = the calendar or the clock has none that is called so. */
export function parseMoment(text: string): number | undefined {
  const [, written = '', zone = ''] = WRITTEN.exec(text) ?? [];
  // Without a zone a time would be that of whatever machine reads it.
  if (written === '' || (zone === '') !== (written.length === 10)) return undefined;
  const at = Date.parse(text);
  const wall = Date.parse(zone === '' ? written : `${written}Z`);
  if (Number.isNaN(at) || Number.isNaN(wall)) return undefined;
  // A 31st of February is read as some day of March.
  return new Date(wall).toISOString().startsWith(written) ? at : undefined;
}
