// `npm run build`: src/ to dist/, unless dist/ already is what src/ says. Talks on stderr only, so that
// `npm start --silent -- --json` keeps its stdout for the one line it promises.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const FINGERPRINT = '.fingerprint';
const OTHER_INPUTS = [
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
  'tools/build.mjs',
];
const EXECUTABLE = 'server/main.js';
const REPLACE_ATTEMPTS_MAX = 5;

function listInputs() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/\.(test|test-d|conformance)\.ts$/.test(path));
  return [...sources, ...OTHER_INPUTS].toSorted();
}

function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const path of inputs)
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  return hash.digest('hex');
}

function readFingerprint() {
  try {
    return readFileSync(join(dist, FINGERPRINT), 'utf8');
  } catch {
    return undefined;
  }
}

function compile(target) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', target];
  return spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] }).status === 0;
}

function copyAssets(inputs, target) {
  const assets = inputs.filter((path) => path.startsWith('src/') && !path.endsWith('.ts'));
  for (const path of assets) {
    const destination = join(target, relative('src', path));
    mkdirSync(dirname(destination), { recursive: true });
    cpSync(join(root, path), destination);
  }
}

/**
 * Two renames instead of a clean and a rebuild: who starts the old build meanwhile finds it whole.
 * Two builds at once may take each other's place between the renames; the second try then succeeds.
 */
function replaceDist(target) {
  const old = `${target}-old`;
  for (let attempt = 1; ; attempt += 1) {
    rmSync(old, { recursive: true, force: true });
    if (existsSync(dist)) renameSync(dist, old);
    try {
      renameSync(target, dist);
      break;
    } catch (error) {
      if (attempt === REPLACE_ATTEMPTS_MAX) throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
}

function build() {
  const inputs = listInputs();
  const wanted = fingerprint(inputs);
  if (readFingerprint() === wanted) return true;
  // Beside dist/ and at its depth, so that the relative paths in the source maps stay true.
  const target = join(root, `dist.${process.pid}`);
  try {
    if (!compile(target)) return false;
    copyAssets(inputs, target);
    if (existsSync(join(target, EXECUTABLE))) chmodSync(join(target, EXECUTABLE), 0o755);
    writeFileSync(join(target, FINGERPRINT), wanted);
    replaceDist(target);
    return true;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

process.exitCode = build() ? 0 : 1;
