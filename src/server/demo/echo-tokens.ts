/**
 * The echo model's own idea of a token, simple enough to check by hand: a run of letters, digits and
 * underscores is one, and so is each run of other characters that are not white space. White space counts
 * nothing. "Hello, world!" is four: `Hello` `,` `world` `!`.
 */
const TOKEN = /[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]+/gu;
/** The same with the white space in front of it, and what is left at the end. */
const TOKEN_WITH_SPACE = /\s*(?:[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]+)/gu;

export function countEchoTokens(text: string): number {
  return text.match(TOKEN)?.length ?? 0;
}

/** One piece a token; joined they are the text again, but for white space at its end. */
export function splitEchoTokens(text: string): readonly string[] {
  return text.match(TOKEN_WITH_SPACE) ?? [];
}
