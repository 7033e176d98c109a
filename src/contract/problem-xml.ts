import { escapeMarkup } from './markup.ts';
import type { ProblemDocument } from './problem-document.ts';

/** What a member must be called to be an element. All of ours are; a provider's own fields are checked. */
const NAME = /^[A-Za-z_][\w.-]*$/;

/** RFC 9457 appendix B: a member is an element, an item of a list an `i`. */
export function renderXml(document: ProblemDocument): string {
  const members = renderMembers(document);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<problem xmlns="urn:ietf:rfc:7807">${members}</problem>\n`;
}

function renderMembers(members: object): string {
  return Object.entries(members)
    .filter(([name, value]) => value !== undefined && NAME.test(name))
    .map(([name, value]) => renderElement(name, value))
    .join('');
}

/** An empty element is an empty list; an empty text has two tags. */
function renderElement(name: string, value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return `<${name}/>`;
  return `<${name}>${renderContent(value)}</${name}>`;
}

function renderContent(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => renderElement('i', item)).join('');
  if (typeof value === 'object' && value !== null) return renderMembers(value);
  return escapeMarkup(String(value));
}
