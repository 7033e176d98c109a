import type { Parameter } from '../../../domain/catalog.ts';
import { memberName, type PublishedRoute } from './published-routes.ts';

/** A call to copy: everything that is required is in it, with a value of its type. */
export function exampleCall(published: PublishedRoute, publicUrl: string): string {
  const { route, methods } = published;
  const method = methods[0] ?? 'GET';
  const headers = requiredIn(published, 'header').map(
    ({ name, type }) => `${name}: ${SAMPLE_TEXTS[type]}`,
  );
  if (route.endpointClass !== 'free') headers.unshift('Authorization: Bearer <your key>');
  const body = exampleBody(published);
  if (body !== '') headers.push('Content-Type: application/json');
  const url = quote(publicUrl + examplePath(published));
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`} ${url}`,
    ...headers.map((header) => `-H '${header}'`),
    ...(body === '' ? [] : [`-d '${body}'`]),
  ].join(' \\\n  ');
}

/** With its required query. */
export function examplePath(published: PublishedRoute): string {
  const query = requiredIn(published, 'query').map(
    ({ name, type }) => `${encodeURIComponent(name)}=${encodeURIComponent(SAMPLE_TEXTS[type])}`,
  );
  return query.length === 0 ? published.path : `${published.path}?${query.join('&')}`;
}

/** What a body may look like; empty = none. */
export function exampleBody(published: PublishedRoute): string {
  const { route, methods, model } = published;
  if (methods[0] === 'GET' || route.kind === 'models') return '';
  if (route.kind === 'chat') {
    return `{"model": ${JSON.stringify(model)}, "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}`;
  }
  if (route.kind === 'embeddings') return `{"model": ${JSON.stringify(model)}, "input": "Hello"}`;
  // A member of a member has no place of its own here: the list of parameters above has it.
  const members = requiredIn(published, 'body')
    .filter(({ name }) => name.lastIndexOf('/') === 0)
    .map((member) => `${JSON.stringify(memberName(member))}: ${SAMPLES[member.type]}`);
  return `{${members.join(', ')}}`;
}

function requiredIn({ route }: PublishedRoute, place: Parameter['in']): readonly Parameter[] {
  return route.parameters.filter((parameter) => parameter.required && parameter.in === place);
}

const SAMPLES: Readonly<Record<Parameter['type'], string>> = {
  string: '"text"',
  number: '1.5',
  integer: '1',
  boolean: 'true',
  array: '[]',
  object: '{}',
};
/** In a query or a header. */
const SAMPLE_TEXTS: Readonly<Record<Parameter['type'], string>> = {
  ...SAMPLES,
  string: 'text',
  array: 'text',
};

/** What a shell would read as its own. */
function quote(url: string): string {
  return /[?&{}()*;]/.test(url) ? `'${url}'` : url;
}
