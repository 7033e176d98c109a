import { unescapeMarkup } from './markup.ts';
import { parseProblem, type ParsedProblem } from './parse-problem.ts';

/** A refusal of ours is a few kB; a longer text is somebody else's answer and is not searched. */
const TEXT_LENGTH_MAX = 262_144;
const DEPTH_MAX = 8;

/**
 * Reads the text of a refusal in whichever form it came: JSON of any dialect, XML, an HTML page, plain
 * text, or one or more events of a stream (the last refusal among them). Undefined when it is none.
 */
export function readProblem(text: string): ParsedProblem | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  const start = text.trimStart();
  if (start.startsWith('{')) return parseProblem(parseJson(start));
  if (start.startsWith('<?xml') || start.startsWith('<problem')) return readXml(start);
  if (start.startsWith('<')) return readHtml(start);
  return readEvents(start) ?? readText(start);
}

function readEvents(text: string): ParsedProblem | undefined {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:'));
  for (const line of lines.toReversed()) {
    const problem = parseProblem(parseJson(line.slice('data:'.length)));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function readHtml(page: string): ParsedProblem | undefined {
  const block = /<script type="application\/json" id="problem">([^<]*)<\/script>/.exec(page);
  return block === null ? undefined : parseProblem(parseJson(block[1] ?? ''));
}

/** The lines of problem-text.ts. */
function readText(text: string): ParsedProblem | undefined {
  const [head = '', , message = '', ...lines] = text.split(/\r?\n/);
  const status = /^(\d{3}) /.exec(head)?.[1];
  if (status === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(': ');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const seconds = fields.get('Wait');
  return parseProblem({
    status: Number.parseInt(status, 10),
    message,
    code: fields.get('Code'),
    action: fields.get('Action'),
    resolution_url: fields.get('Resolve'),
    documentation_url: fields.get('Documentation'),
    request_id: fields.get('Request'),
    retry: {
      kind: fields.get('Retry'),
      resets_at: fields.get('Resets'),
      retry_after_seconds: seconds === undefined ? undefined : Number.parseInt(seconds, 10),
    },
  });
}

/**
 * One tag, and the text before it. Ours has no attributes but the namespace, no comments and no entities of its own.
 * Each begins where the last one ended (`y`) and its name ends at a blank, `/` or `>`: a text without them is read once.
 */
const TAG = /([^<]*)<(\/?)([A-Za-z_][\w.-]*)(?=[\s/>])[^<>]*?(\/?)>/gy;

interface Element {
  readonly name: string;
  readonly children: [name: string, value: unknown][];
}

function readXml(text: string): ParsedProblem | undefined {
  const root: Element = { name: '', children: [] };
  const stack = [root];
  for (const tag of text.replace(/^<\?[^>]*\?>/, '').matchAll(TAG)) {
    if (!takeTag(stack, tag)) return undefined;
  }
  const problem = root.children.find(([name]) => name === 'problem');
  return stack.length === 1 && problem !== undefined ? parseProblem(problem[1]) : undefined;
}

/** False when the tag does not belong where it stands. */
function takeTag(
  stack: Element[],
  [, content = '', slash, name = '', empty]: RegExpExecArray,
): boolean {
  if (slash !== '/' && empty !== '/') {
    stack.push({ name, children: [] });
    return stack.length <= DEPTH_MAX;
  }
  const element = empty === '/' ? undefined : stack.pop();
  const parent = stack.at(-1);
  if (parent === undefined || (element !== undefined && element.name !== name)) return false;
  parent.children.push([name, element === undefined ? [] : valueOf(element, content)]);
  return true;
}

/** RFC 9457 appendix B does not say what is a number: what looks like one is. */
function valueOf({ children }: Element, content: string): unknown {
  if (children.length > 0) {
    return children.every(([name]) => name === 'i')
      ? children.map(([, value]) => value)
      : Object.fromEntries(children);
  }
  const text = unescapeMarkup(content);
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/.test(text)) return Number.parseFloat(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
