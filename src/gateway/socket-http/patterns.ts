/** Source of a pattern: RFC 9110 5.6.2. */
export const TOKEN_PATTERN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
// RFC 9110 5.1 and 5.5. No folding, no bare CR or LF, no control character, no space before the colon.
export const FIELD_VALUE_PATTERN = '[\\t\\x20-\\x7e\\x80-\\xff]*';
/** Source of a pattern: one whole field line with its CRLF. */
export const FIELD_LINE_PATTERN = `${TOKEN_PATTERN}:${FIELD_VALUE_PATTERN}\\r\\n`;
