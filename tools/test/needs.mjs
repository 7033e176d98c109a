// Which programs beyond npm a test file needs. A test says so itself, in a comment among its first lines:
//   // @needs nginx chromium
// so that the runner installs only what some selected test declares, and leaves out only what it cannot run.
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * `names`: any one of these programs will do. `package`: what Debian calls it.
 * @type {Readonly<Record<string, { names: readonly string[], package: string }>>}
 */
export const TOOLS = {
  nginx: { names: ['nginx'], package: 'nginx-light' },
  wrk: { names: ['wrk'], package: 'wrk' },
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium' },
  'redis-server': { names: ['redis-server'], package: 'redis-server' },
  postgresql: { names: ['postgres'], package: 'postgresql' },
};

const TEST_ROOTS = ['src', 'test', 'tools'];
const HEADER_LINES_MAX = 10;
const DECLARATION = /^\/\/ @needs (.+)$/;

/** The test files a run selects: all, or those whose path contains one of the filters (vitest's own rule). */
export function selectTestFiles(root, filters) {
  const files = TEST_ROOTS.flatMap((folder) => listTestFiles(root, folder));
  if (filters.length === 0) return files;
  return files.filter((file) => filters.some((filter) => file.includes(filter)));
}

function listTestFiles(root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { recursive: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.endsWith('.test.ts'))
    .map((entry) => join(folder, entry))
    .toSorted();
}

/** The tools a test file declares. An unknown name is an error: a misspelt need would never be provided. */
export function readNeeds(file, text) {
  const needs = [];
  for (const line of text.split('\n', HEADER_LINES_MAX)) {
    const declared = DECLARATION.exec(line)?.[1];
    if (declared !== undefined) needs.push(...declared.trim().split(/\s+/));
  }
  for (const need of needs) {
    if (!Object.hasOwn(TOOLS, need)) {
      throw new Error(`${file} needs "${need}", which is none of ${Object.keys(TOOLS).join(', ')}`);
    }
  }
  return needs;
}

/** tool -> the selected files that need it. */
export function collectNeeds(root, files) {
  const filesByTool = new Map();
  for (const file of files) {
    for (const tool of readNeeds(file, readFileSync(join(root, file), 'utf8'))) {
      filesByTool.set(tool, [...(filesByTool.get(tool) ?? []), file]);
    }
  }
  return filesByTool;
}

/** The path of the tool's program, or undefined. Debian keeps nginx off a user's PATH and postgres off everyone's. */
export function findTool(tool, searchPath = process.env.PATH ?? '') {
  const folders = [
    ...searchPath.split(delimiter),
    '/usr/local/bin',
    '/usr/sbin',
    ...postgresFolders(),
  ];
  for (const folder of folders) {
    for (const name of TOOLS[tool].names) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function postgresFolders() {
  const base = '/usr/lib/postgresql';
  try {
    return readdirSync(base).map((version) => join(base, version, 'bin'));
  } catch {
    return []; // Not Debian, or not installed: the PATH alone decides.
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
