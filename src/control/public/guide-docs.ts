import { readFileSync } from 'node:fs';

/** Beside src/ and beside dist/: this file is three folders below either's parent. */
const FOLDER = new URL('../../../docs/', import.meta.url);

/** The guides for those who call the gateway, in the order in which they are listed. */
const GUIDES = {
  'quick-check': 'guides/quick-check.md',
  'status-codes': 'guides/status-codes.md',
  clients: 'guides/clients.md',
  'upstream-providers': 'guides/upstream-providers.md',
  lifecycle: 'lifecycle.md',
} as const;
export type GuideName = keyof typeof GUIDES;

/** Bounded by the list above. */
const cache = new Map<GuideName, string>();

export function guideNames(): readonly GuideName[] {
  return Object.keys(GUIDES) as GuideName[];
}

export function isGuide(name: string): name is GuideName {
  return Object.hasOwn(GUIDES, name);
}

/** Markdown. Throws when the package lacks it, which its tests rule out. */
export function readGuide(name: GuideName): string {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const source = readFileSync(new URL(GUIDES[name], FOLDER), 'utf8');
  cache.set(name, source);
  return source;
}

/** The folder of docs/ a guide stands in: its links are relative to it. */
export function folderOf(name: GuideName): string {
  return GUIDES[name].slice(0, GUIDES[name].lastIndexOf('/') + 1);
}

/**
 * A link of one of our documents -> where the gateway serves what it leads to: `../errors/RATE_LIMITED.md` ->
 * `/errors/RATE_LIMITED`. Undefined for a document that is no page here.
 */
export function resolveDocLink(target: string, folder: string): string | undefined {
  const { pathname, hash } = new URL(target, `file:///docs/${folder}`);
  const page = pageOf(pathname);
  return page === undefined ? undefined : page + hash;
}

function pageOf(pathname: string): string | undefined {
  const name = /^\/docs\/errors\/(\w+)\.md$/.exec(pathname)?.[1];
  if (name !== undefined) return name === 'README' ? '/errors' : `/errors/${name}`;
  const guide = guideNames().find((each) => pathname === `/docs/${GUIDES[each]}`);
  return guide === undefined ? undefined : `/guides/${guide}`;
}
