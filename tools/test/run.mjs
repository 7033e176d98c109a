// `npm test [-- path-filter...]`: provides the programs the selected tests declare (needs.mjs), builds, runs vitest,
// and ends with one line, "N passed, N failed" (and ", N skipped" if any). Exit code 0 only if something passed
// and nothing failed. Leaves no process behind: whatever a test forgot is ended here and counts as a failure.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { installPackages, mayInstall } from './debian.mjs';
import { collectNeeds, findTool, selectTestFiles, TOOLS } from './needs.mjs';
import { endGroup } from './process-group.mjs';

const root = resolve(import.meta.dirname, '../..');
const RUN_TIMEOUT_MS = 28 * 60_000;
const say = (text) => process.stderr.write(`${text}\n`);

/** Files no program could be found for, each with its missing tools. On CI that is a failure, at home a notice. */
function provideTools(files) {
  const filesByTool = collectNeeds(root, files);
  let missing = [...filesByTool.keys()].filter((tool) => findTool(tool) === undefined);
  if (missing.length > 0 && mayInstall()) {
    const packages = missing.map((tool) => TOOLS[tool].package);
    say(`installing for the tests: ${packages.join(' ')}`);
    installPackages(packages);
    missing = missing.filter((tool) => findTool(tool) === undefined);
  }
  for (const tool of missing) {
    say(`missing: ${tool}. Install it (on Debian: apt-get install ${TOOLS[tool].package}) to run:`);
    for (const file of filesByTool.get(tool)) say(`  ${file}`);
  }
  return new Set(missing.flatMap((tool) => filesByTool.get(tool)));
}

function build() {
  return (
    spawnSync(process.execPath, [join(root, 'tools/build.mjs')], { stdio: ['ignore', 2, 2] })
      .status === 0
  );
}

/** Runs vitest in a process group of its own, so that everything its tests start can be found afterwards. */
async function runVitest(filters, leftOut, summaryFile) {
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'tools/test/summary-reporter.mjs')}`,
    ...[...leftOut].map((file) => `--exclude=${file}`),
    ...filters,
  ];
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TOLLKEEPER_TEST_SUMMARY: summaryFile },
  });
  const groupId = child.pid;
  if (groupId === undefined) throw new Error('node could not be started');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A group of its own also hides it from the terminal's Ctrl-C, hence by hand.
    process.on(signal, () => process.kill(-groupId, signal));
  }
  const limit = setTimeout(() => {
    say(`the tests did not end within ${RUN_TIMEOUT_MS / 60_000} minutes`);
    process.kill(-groupId, 'SIGKILL');
  }, RUN_TIMEOUT_MS);
  const exitCode = await new Promise((settle) => child.once('exit', (code) => settle(code ?? 1)));
  clearTimeout(limit);
  return { exitCode, leftovers: await endGroup(groupId) };
}

function readSummary(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // vitest died before its run had an end.
  }
}

async function run(filters) {
  const files = selectTestFiles(root, filters);
  const leftOut = provideTools(files);
  const counts = { passed: 0, failed: process.env.CI === 'true' ? leftOut.size : 0, skipped: 0 };
  if (files.length === leftOut.size) {
    say(
      files.length === 0
        ? `no test file matches ${filters.join(' ')}`
        : 'no test file is left to run',
    );
    return counts;
  }
  if (!build()) return { ...counts, failed: counts.failed + 1 };
  const folder = mkdtempSync(join(tmpdir(), 'tollkeeper-test-run-'));
  try {
    const summaryFile = join(folder, 'summary.json');
    const { exitCode, leftovers } = await runVitest(filters, leftOut, summaryFile);
    const summary = readSummary(summaryFile);
    for (const line of leftovers) say(`left running by a test, ended now: ${line}`);
    counts.passed = summary.passed;
    counts.skipped = summary.skipped;
    counts.failed += summary.failed + leftovers.length;
    if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const counts = await run(process.argv.slice(2));
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
