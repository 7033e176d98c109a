// Installs Debian packages for the tests, and only when it may: root, on Debian, with apt-get.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const ATTEMPTS_MAX = 3;
const ATTEMPT_TIMEOUT_MS = 10 * 60_000;

export function mayInstall() {
  return (
    process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')
  );
}

/** True when apt-get said so. Its output goes to stderr, and only when an attempt failed. */
export function installPackages(packages) {
  const refusesDaemons = refuseDaemons();
  try {
    const update = runApt(['update']);
    const install = runApt(['install', '-y', '--no-install-recommends', ...packages]);
    return update && install;
  } finally {
    if (refusesDaemons) rmSync(POLICY_FILE, { force: true });
  }
}

/**
 * Debian's packages start their daemon on installation unless policy-rc.d answers 101; a test machine's port 80
 * is none of our business. An existing policy is its administrator's: it stays, and this returns false.
 */
function refuseDaemons() {
  if (existsSync(POLICY_FILE)) return false;
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.once('exit', () => rmSync(POLICY_FILE, { force: true }));
  return true;
}

function runApt(args) {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const result = spawnSync(
      'apt-get',
      ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
        timeout: ATTEMPT_TIMEOUT_MS,
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      },
    );
    if (result.status === 0) return true;
    const reason = result.error?.message ?? result.stderr.trim();
    process.stderr.write(`apt-get ${args[0]} failed (${attempt} of ${ATTEMPTS_MAX}): ${reason}\n`);
  }
  return false;
}
