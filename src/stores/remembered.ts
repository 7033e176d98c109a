export interface RememberedAnswer {
  readonly fingerprint: string;
  readonly answer: string;
}
export interface Remembered {
  readonly kind: 'new' | 'replay' | 'conflict';
  readonly answer: string;
}

/** What a key's answer is now: `kept` is what is there under it. */
export function rememberedAs(
  isNew: boolean,
  kept: RememberedAnswer | undefined,
  { fingerprint, answer }: RememberedAnswer,
): Remembered {
  if (isNew || kept === undefined) return { kind: 'new', answer };
  return { kind: kept.fingerprint === fingerprint ? 'replay' : 'conflict', answer: kept.answer };
}
