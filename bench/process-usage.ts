import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of utime and stime: 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100;
const UTIME_FIELD = 11;

/** User and system time a process has used so far, all its threads together. */
export function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name is in brackets and may hold anything: count fields behind its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1]);
  if (!Number.isSafeInteger(ticks))
    throw new Error(`/proc/${pid}/stat was not understood: ${stat}`);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory in MB (10^6 bytes). */
export function readResidentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined)
    throw new Error(`/proc/${pid}/status has no VmRSS: has the process ended?`);
  return (Number(kib) * 1024) / 1e6;
}

/** Keeps a process, with every thread it has and will have, on one core. */
export function pinToCore(pid: number, core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'pipe' });
}

/** The cores this process may use, lowest first: in a container they need not begin at 0. */
export function listCores(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return (list ?? '').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
