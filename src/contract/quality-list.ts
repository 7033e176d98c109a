export interface QualityItem {
  /** Lower case, without parameters. */
  readonly value: string;
  /** 0 to 1; 0 means "not this". */
  readonly quality: number;
}

/** Callers write these headers: what stands behind the first items is not looked at. */
const ITEMS_MAX = 32;

/** RFC 9110 12.4.2: `de-AT, en;q=0.8` in the order sent. What cannot be read is left out. */
export function parseQualityList(header: string): readonly QualityItem[] {
  return header
    .split(',', ITEMS_MAX)
    .map(parseItem)
    .filter((item) => item.value !== '');
}

function parseItem(text: string): QualityItem {
  const [value = '', ...parameters] = text.toLowerCase().split(';');
  let quality = 1;
  for (const parameter of parameters) {
    const [name = '', weight = ''] = parameter.split('=');
    if (name.trim() === 'q') quality = parseQuality(weight.trim());
  }
  return { value: value.trim(), quality };
}

/** A weight that is none counts as 0: nobody is served what they may have meant to refuse. */
function parseQuality(text: string): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number.parseFloat(text) : 0;
}
