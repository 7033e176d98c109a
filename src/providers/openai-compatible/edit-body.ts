import {
  countMembers,
  type Member,
  type ScannedObject,
  scanObject,
} from '../../platform/scan-json.ts';
import type { RequestEdits } from '../provider.ts';
import { EXTRA_MEMBERS } from './find-unpriced.ts';
import { isRecord, type JsonRecord } from './read-json.ts';

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Members the gateway prices by. JSON.parse reads the last of several with one name, other parsers the
 * first: only the last one leaves here, so that what was priced is what the upstream reads.
 */
export const PRICED_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'input',
  'n',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'tools',
  ...EXTRA_MEMBERS,
]);
/** Whichever the caller used is edited: reasoning models of OpenAI refuse `max_tokens`, older servers know only it. */
const OUTPUT_BOUNDS = ['max_completion_tokens', 'max_tokens'] as const;
const INCLUDE_USAGE: ReadonlySet<string> = new Set(['include_usage']);

/**
 * The caller's bytes with the edits spliced in; every other byte stays as it came. `parsed` is JSON.parse
 * of `body` and has passed parseChat or parseEmbeddings.
 */
export function editBody(body: Buffer, parsed: unknown, edits: RequestEdits): Buffer {
  if (!isRecord(parsed) || passesAsItCame(body, parsed, edits)) return body;
  const object = scanObject(body, 0, PRICED_MEMBERS);
  const { last, splices } = dropDuplicates(object);
  const inserted: string[] = [];

  const model = last.get('model');
  if (model !== undefined && parsed['model'] !== edits.upstreamModel) {
    splices.push(replaceValue(model, JSON.stringify(edits.upstreamModel)));
  }
  if (edits.outputTokensMax !== undefined) {
    const bounds = chooseOutputBounds(parsed, last);
    for (const bound of bounds) splices.push(replaceValue(bound, `${edits.outputTokensMax}`));
    if (bounds.length === 0) inserted.push(`"max_tokens":${edits.outputTokensMax}`);
  }
  if (edits.includeUsage) {
    const options = last.get('stream_options');
    if (options === undefined) inserted.push('"stream_options":{"include_usage":true}');
    else splices.push(...setIncludeUsage(body, options, isRecord(parsed['stream_options'])));
  }
  if (inserted.length > 0) splices.push(insertMembers(object, inserted));
  return applySplices(body, splices);
}

/** Most bodies: nothing is to be edited, and no name stands there twice, or JSON.parse had found fewer than there are. */
function passesAsItCame(body: Buffer, parsed: JsonRecord, edits: RequestEdits): boolean {
  if (edits.includeUsage || edits.outputTokensMax !== undefined) return false;
  if (parsed['model'] !== edits.upstreamModel) return false;
  return countMembers(body, 0) === Object.keys(parsed).length;
}

function dropDuplicates(object: ScannedObject): { last: Map<string, Member>; splices: Splice[] } {
  const last = new Map<string, Member>();
  const splices: Splice[] = [];
  for (const member of object.members) {
    const earlier = last.get(member.name);
    // An earlier one has a comma behind it, and `end` is behind that comma.
    if (earlier !== undefined) splices.push({ start: earlier.start, end: earlier.end, text: '' });
    last.set(member.name, member);
  }
  return { last, splices };
}

/** Those the caller has set; else one that is null; else none, and `max_tokens` is added. */
function chooseOutputBounds(
  parsed: Readonly<Record<string, unknown>>,
  last: ReadonlyMap<string, Member>,
): Member[] {
  const present = OUTPUT_BOUNDS.flatMap((name) => last.get(name) ?? []);
  const set = present.filter(({ name }) => parsed[name] !== null);
  return set.length > 0 ? set : present.slice(0, 1);
}

function setIncludeUsage(body: Buffer, options: Member, isObject: boolean): Splice[] {
  if (!isObject) return [replaceValue(options, '{"include_usage":true}')];
  const object = scanObject(body, options.valueStart, INCLUDE_USAGE);
  if (object.members.length === 0) return [insertMembers(object, ['"include_usage":true'])];
  return object.members.map((member) => replaceValue(member, 'true'));
}

function replaceValue(member: Member, text: string): Splice {
  return { start: member.valueStart, end: member.valueEnd, text };
}

/** In front of all others, where no search for the end is needed. */
function insertMembers(object: ScannedObject, members: readonly string[]): Splice {
  const text = members.join(',') + (object.isEmpty ? '' : ',');
  return { start: object.bodyStart, end: object.bodyStart, text };
}

function applySplices(body: Buffer, splices: readonly Splice[]): Buffer {
  if (splices.length === 0) return body;
  const parts: Buffer[] = [];
  let kept = 0;
  // At one offset an insertion, which ends where it starts, comes before what is dropped there.
  const ordered = splices.toSorted((a, b) => a.start - b.start || a.end - b.end);
  for (const { start, end, text } of ordered) {
    parts.push(body.subarray(kept, start), Buffer.from(text));
    kept = end;
  }
  parts.push(body.subarray(kept));
  return Buffer.concat(parts);
}
