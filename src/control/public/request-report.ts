import { isCode } from '../../contract/codes.ts';
import { type Findings, readFindings } from './findings.ts';
import type { PublicDeps } from './public-deps.ts';
import type { ReadableRequest } from './read-request.ts';
import { signPayLink } from './signed-links.ts';

/** Everything that is told about one request, as a page, as JSON and as a file for support. */
export interface RequestReport extends Findings {
  readonly request: ReadableRequest;
  readonly links: ReportLinks;
}

/** Where the explanation leads on to. */
export interface ReportLinks {
  /** Absolute. */
  readonly payUrl: string | undefined;
  readonly documentationUrl: string | undefined;
  /** `/r/{id}`, `/r/{id}/bundle` ...: with the signature they were opened with. */
  readonly self: string;
  readonly bundle: string;
  readonly guide: string;
  readonly probe: string;
}

export async function readReport(
  deps: PublicDeps,
  request: ReadableRequest,
): Promise<RequestReport> {
  const findings = await readFindings(deps, request);
  const { code, wouldRefuse } = findings.view;
  return { ...findings, request, links: linksOf(deps, request, code ?? wouldRefuse) };
}

function linksOf(
  deps: PublicDeps,
  { tenantId, id, query }: ReadableRequest,
  code: string | undefined,
): ReportLinks {
  const baseUrl = deps.publicUrl();
  const known = code !== undefined && isCode(code) ? code : undefined;
  const paid = known !== undefined && tenantId !== '';
  return {
    payUrl: paid
      ? `${baseUrl}/pay/${signPayLink({ tenantId, cause: known }, deps.signingSecret)}`
      : undefined,
    documentationUrl: known === undefined ? undefined : `${baseUrl}/errors/${known}`,
    self: `/r/${id}${query}`,
    bundle: `/r/${id}/bundle${query}`,
    guide: `/r/${id}/guide${query}`,
    probe: `/r/${id}/probe${query}`,
  };
}
