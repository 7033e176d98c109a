import { type LoggedRequest, readFindings } from '../public/findings.ts';
import { createRedact, redactAll } from '../public/redact.ts';
import { viewFindings } from '../public/view-explain.ts';
import type { AdminDeps } from './admin-deps.ts';

/**
 * The decision made again from the logged facts, and everything that its owner reads about it (DIAG-01..08).
 * Undefined for a row whose facts another version of the gateway wrote in a shape this one cannot decide on; the
 * facts themselves stay readable.
 */
export async function viewExplanation(
  deps: AdminDeps,
  request: LoggedRequest,
): Promise<object | undefined> {
  try {
    const facts = redactAll(request.facts, createRedact(deps.catalog()));
    return viewFindings(await readFindings(deps, { ...request, facts }));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
