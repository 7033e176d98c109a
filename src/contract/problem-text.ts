import { STATUS_FAMILIES } from './code-row.ts';
import { isExplained, type ProblemDocument } from './problem-document.ts';

/** C402-10: what a person at a terminal needs, and lines that a script can cut (read-problem.ts reads them). */
export function renderText(document: ProblemDocument): string {
  const { status, retry, instance } = document;
  const lines = [
    `${status} ${STATUS_FAMILIES[status].phrase}: ${toLine(document.title)}`,
    '',
    toLine(document.message),
    '',
    `Code: ${document.code}`,
    `Action: ${document.action}`,
    `Resolve: ${toLine(document.resolution_url)}`,
    `Documentation: ${document.documentation_url}`,
    ...(isExplained(instance) ? [`Explanation: ${toLine(instance)}`] : []),
    `Request: ${document.request_id}`,
    `Retry: ${retry.kind}`,
  ];
  if (retry.resets_at !== undefined) lines.push(`Resets: ${retry.resets_at}`);
  if (retry.retry_after_seconds !== undefined) lines.push(`Wait: ${retry.retry_after_seconds}`);
  return `${lines.join('\n')}\n`;
}

/** Callers choose model names and paths: none of them begins a line of ours. */
function toLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
