import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

// What no compiler checks: each rule here is one that a reader would otherwise have to keep in mind.
const root = resolve(import.meta.dirname, '..');
const self = 'test/tidy.test.ts';

/** Tracked files and new ones, as git sees them; without git (an unpacked archive), what lies in our folders. */
function listFiles(): readonly string[] {
  try {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
    const listing = execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return listing.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
  } catch {
    const folders = ['src', 'test', 'tools', 'bench', 'chaos', 'docs', 'deploy', 'schema'];
    return folders
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
      );
  }
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const files = listFiles().filter((file) => file !== self && file !== 'package-lock.json');
const code = files.filter((file) => /\.(ts|mjs)$/.test(file) || file === '.ci/run');
const texts = files.filter((file) => /\.(ts|mjs|md|json|ya?ml|service)$/.test(file));

/** `file:line: text` of every line that matches. */
function findLines(candidates: readonly string[], pattern: RegExp): readonly string[] {
  return candidates.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

it('looks at the files it means to', () => {
  expect(code).toContain('src/domain/money.ts');
  expect(texts).toContain('package.json');
});

describe('no line of code', () => {
  it.each([
    ['is left for later', /\b(TODO|FIXME|XXX|HACK)\b/],
    ['pretends', /not implemented|notImplemented/i],
    ['switches a type error off', /@ts-(ignore|expect-error|nocheck)/],
    ['switches a rule off without a reason', /(oxlint|eslint)-disable(?!.* -- \S)/],
  ])('%s', (_what, pattern) => {
    expect(findLines(code, pattern)).toEqual([]);
  });

  it('leaves a test out or runs one alone', () => {
    const tests = code.filter((file) => /\.(test|conformance)\.ts$/.test(file));
    expect(
      findLines(tests, /\b(it|test|describe)(\.\w+)*\.(skip|only|todo|skipIf|runIf)\b/),
    ).toEqual([]);
  });
});

it('no file holds a path of the machine it was written on', () => {
  // Paths that every machine of a kind has (/etc, /usr, /var, /tmp in a text) are not such paths.
  const home = /(^|[\s"'`(=:])\/(home|Users|root|work|workspace|mnt|media)\/[\w.-]+/;
  expect(findLines([...texts, ...code], home)).toEqual([]);
});

it('the README gives the two commands a stranger needs', () => {
  const readme = read('README.md');
  expect(readme).toContain('npm ci && npm start');
  expect(readme).toContain('npm ci && npm test');
});

describe('docs/spec', () => {
  const specs = files.filter((file) => file.startsWith('docs/spec/') && file.endsWith('.md'));
  const invariants = specs.flatMap((file) =>
    read(file)
      .split('\n')
      .filter((line) => /^[-*#\s|]*\**I\d+\b/.test(line))
      .map((line) => ({ file, line })),
  );

  it('numbers the invariants of the ledger', () => {
    expect(invariants.length).toBeGreaterThan(0);
  });

  it('names, for each invariant, tests that exist', () => {
    const wrong = invariants.flatMap(({ file, line }) => {
      const named = /\bTests?: *(.+)$/.exec(line)?.[1] ?? '';
      const paths = named.match(/[\w./-]+\.(test|conformance)\.ts/g) ?? [];
      const missing = paths.filter((path) => !existsSync(join(root, path)));
      return paths.length > 0 && missing.length === 0 ? [] : [`${file}: ${line}`];
    });
    expect(wrong).toEqual([]);
  });
});

it('pins every dependency to one version', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const pins = { ...manifest['dependencies'], ...manifest['devDependencies'] };
  expect(Object.entries(pins).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual(
    [],
  );
});

it('every relative link in our Markdown leads to a file', () => {
  const broken = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const prose = read(file)
        .replaceAll(/```[\s\S]*?```/g, '')
        .replaceAll(/`[^`\n]*`/g, '');
      const links = [...prose.matchAll(/\]\((?!https?:|mailto:|#|\/)([^)#\s]+)/g)];
      return links
        .map((match) => match[1] ?? '')
        .filter((target) => !existsSync(join(root, file, '..', target)))
        .map((target) => `${file} -> ${target}`);
    });
  expect(broken).toEqual([]);
});
