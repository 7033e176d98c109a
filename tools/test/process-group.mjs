// Ends what is left of a process group. Only ever called for a group whose leader this program started.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 3000;
const POLL_MS = 50;

/** Waits for the group to empty by itself, then kills it. Returns one line for each process it had to kill. */
export async function endGroup(groupId) {
  const deadline = Date.now() + GRACE_MS;
  while (isAlive(groupId) && Date.now() < deadline) await sleep(POLL_MS);
  if (!isAlive(groupId)) return [];
  const members = listMembers(groupId);
  signalGroup(groupId, 'SIGKILL');
  return members;
}

function isAlive(groupId) {
  return signalGroup(groupId, 0) && listMembers(groupId).length > 0;
}

function signalGroup(groupId, signal) {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch {
    return false; // ESRCH: the group is gone.
  }
}

/** `pid command` of each member that still runs: a zombie waiting for its parent does not. */
function listMembers(groupId) {
  return listProcesses()
    .filter(({ group, state }) => group === groupId && !state.startsWith('Z'))
    .map(({ pid, command }) => `${pid} ${command}`);
}

/** From /proc where there is one, because slim Linux images come without ps. */
function listProcesses() {
  if (!existsSync('/proc/self/stat')) return parsePs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(pid));
}

function readProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // "pid (any text) state ppid pgrp ...": the text may hold spaces and brackets, so count from the last one.
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return [{ pid, state, group: Number(group), command }];
  } catch {
    return []; // It ended between the listing and the look.
  }
}

function parsePs() {
  const listing = spawnSync('ps', ['-A', '-o', 'pid=,stat=,pgid=,args='], { encoding: 'utf8' });
  return listing.stdout.split('\n').flatMap((line) => {
    const [pid, state, group, ...command] = line.trim().split(/\s+/);
    return group === undefined
      ? []
      : [{ pid, state, group: Number(group), command: command.join(' ') }];
  });
}
