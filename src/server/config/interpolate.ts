import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ok, wrong } from './human-units.ts';
import type { Parsed } from './human-units.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface InterpolationContext {
  readonly env: Environment;
  /** Relative `file:` paths start here: the folder of the configuration. */
  readonly directory: string;
}

/** A secret is a key or a certificate, never a data set. */
export const SECRET_FILE_BYTES_MAX = 64 * 1024;

/** One that is not closed, too: it would be taken for text, and sent as a password. */
const EXPRESSION = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^]*))?$/;

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `${VAR:?message}` (`$${` stands for `${`), then reads the file
 * when the whole text is `file:PATH`. Undefined when there was nothing to replace.
 */
export function interpolate(
  text: string,
  context: InterpolationContext,
): Parsed<string> | undefined {
  if (!text.includes('${') && !text.startsWith('file:')) return undefined;
  const problems: string[] = [];
  const replaced = text.replaceAll(EXPRESSION, (whole, expression?: string, end?: string) => {
    if (expression === undefined) return '${';
    const value = end === '' ? notReference(whole) : readVariable(expression, context.env);
    if (value.kind === 'ok') return value.value;
    problems.push(value.problem);
    return whole;
  });
  if (problems.length > 0) return wrong(problems.join('; '));
  return replaced.startsWith('file:') ? readSecretFile(replaced.slice(5), context) : ok(replaced);
}

function readVariable(expression: string, env: Environment): Parsed<string> {
  const match = VARIABLE.exec(expression);
  const name = match?.[1];
  if (match === null || name === undefined) return notReference(`\${${expression}}`);
  const value = env[name];
  // As in a shell, `:-` and `:?` also speak for a variable that is set but empty.
  if (value !== undefined && (value !== '' || match[2] === undefined)) return ok(value);
  if (match[2] === ':-') return ok(match[3] ?? '');
  if (match[2] === ':?') return wrong(`environment variable ${name} is not set: ${match[3] ?? ''}`);
  return wrong(`environment variable ${name} is not set: set it, or write \${${name}:-default}`);
}

function notReference(written: string): Parsed<string> {
  return wrong(
    `"${written}" is not a reference: write \${NAME}, \${NAME:-default}, \${NAME:?message}, or $\${ for a literal \${`,
  );
}

/** Reads a small text file (a secret, a certificate) without its last line end. */
export function readSecretFile(path: string, context: InterpolationContext): Parsed<string> {
  const file = resolve(context.directory, path);
  try {
    const size = statSync(file).size;
    if (size > SECRET_FILE_BYTES_MAX) {
      return wrong(`the file ${file} has ${size} bytes; at most ${SECRET_FILE_BYTES_MAX} are read`);
    }
    return ok(readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
  } catch (error) {
    return wrong(`cannot read the file ${file}: ${describeSystemError(error)}`);
  }
}

export const NO_FILE = 'there is no such file';

export function describeSystemError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return NO_FILE;
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a directory';
  return error instanceof Error ? error.message : String(error);
}
