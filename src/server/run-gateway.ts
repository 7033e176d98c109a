import { type CommandIo, EXIT, reportOutcome } from '../cli/command-outcome.ts';
import { chooseConfig, reportInvalid } from './choose-config.ts';
import { readClockShift } from './clock-shift.ts';
import { loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { OverrideFlags } from './config/overrides.ts';
import { ensureDemoCustomer } from './demo-customer.ts';
import { forkFirstWorkers } from './fork-worker.ts';
import { readyJson, readyText } from './ready-text.ts';
import type { Supervisor } from './supervisor.ts';

export interface RunFlags extends OverrideFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** `tollkeeper dev`: play money, and the demo configuration unless there is a tollkeeper.yaml. */
export function runDev(flags: RunFlags, io: CommandIo): Promise<void> {
  return run(flags, io, 'dev');
}

/** `tollkeeper up`: the configuration's gateway. */
export function runUp(flags: RunFlags, io: CommandIo): Promise<void> {
  return run(flags, io, 'up');
}

async function run(flags: RunFlags, io: CommandIo, mode: 'dev' | 'up'): Promise<void> {
  const shift = readClockShift(io.env['TOLLKEEPER_CLOCK'], mode === 'dev', Date.now());
  const json = flags.json === true;
  if (shift.kind === 'wrong') {
    const { message } = shift;
    const exitCode = EXIT.configuration;
    reportOutcome({ kind: 'failed', code: 'BAD_CLOCK', exitCode, message }, io, json);
    return;
  }
  const chosen = chooseConfig(flags, io, mode);
  const loaded = loadConfig(chosen.source, { env: io.env, flags: chosen.flags });
  if (loaded.kind === 'invalid') {
    reportInvalid(loaded.problems, io, json);
    return;
  }
  const { config } = loaded;
  const recruits = forkFirstWorkers(config);
  try {
    const { Supervisor } = await import('./supervisor.ts');
    const supervisor = await Supervisor.start({
      config,
      recruits,
      flags: chosen.flags,
      env: io.env,
      playMoney: mode === 'dev',
      clockShiftMs: shift.shiftMs,
    });
    stopOnSignals(supervisor, io);
    await announce(supervisor, config, { io, mode, json });
  } catch (error) {
    // One that still loads would complain of a channel that is closed; one that serves hands back what it has.
    for (const { worker } of recruits) worker.process.kill('SIGTERM');
    reportStartFailure(error, config, { ...io, exit: (code) => process.exit(code) }, json);
  }
}

async function announce(
  supervisor: Supervisor,
  config: LoadedConfig,
  how: { io: CommandIo; mode: 'dev' | 'up'; json: boolean },
): Promise<void> {
  const { io } = how;
  const terms = { asset: config.catalog.asset, now: supervisor.clock.now() };
  const key =
    how.mode === 'dev' && config.demo !== undefined
      ? await ensureDemoCustomer(supervisor.store, config.store.directory, config.demo, terms)
      : undefined;
  const ready = {
    gateway: supervisor.gatewayUrl,
    admin: supervisor.adminUrl,
    key,
    pid: process.pid,
    adminTokenFile: supervisor.adminTokenFile,
  };
  if (how.json) io.out(readyJson(ready));
  else io.out(readyText(ready, how.mode, config));
}

/** Ctrl-C and SIGTERM end cleanly; a second one ends at once. SIGHUP reloads the configuration. */
function stopOnSignals(supervisor: Supervisor, io: CommandIo): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      io.talk('stopping at once: what was running is settled from the journal at the next start');
      process.exit(EXIT.failed);
    }
    stopping = true;
    io.talk('stopping: running answers may finish');
    supervisor.stop().then(
      () => process.exit(EXIT.ok),
      (error: unknown) => {
        io.talk(`error: ${String(error)}`);
        process.exit(EXIT.failed);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => {
    // The log says what went wrong.
    supervisor.reload().catch(() => undefined);
  });
}

/** Ends the process at once: workers and a store may be open. */
function reportStartFailure(
  error: unknown,
  config: LoadedConfig,
  io: CommandIo,
  json: boolean,
): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  const aboutPort = explainPort(code, message, config);
  const told = aboutPort ?? explainHost(code, message, config) ?? explainData(message, config);
  const [name, exitCode] =
    aboutPort === undefined ? ['NOT_STARTED', EXIT.failed] : ['PORT_TAKEN', EXIT.port];
  reportOutcome({ kind: 'failed', code: name, exitCode, message: told ?? message }, io, json);
}

/** `listen EADDRINUSE: address already in use 127.0.0.1:4020`, `bind EADDRINUSE null:4020`. */
function explainPort(code: string, message: string, { server }: LoadedConfig): string | undefined {
  // Files that may not be written have the code EACCES too.
  if ((code !== 'EADDRINUSE' && code !== 'EACCES') || !/^(listen|bind) /.test(message))
    return undefined;
  const found = Number(/:(\d+)$/.exec(message)?.[1] ?? server.port);
  const isAdmin = found === server.adminPort && found !== server.port;
  const [port, flag, variable] = isAdmin
    ? [server.adminPort, '--admin-port', 'TOLLKEEPER_ADMIN_PORT']
    : [server.port, '--port', 'TOLLKEEPER_PORT'];
  const why = code === 'EACCES' ? 'may not be opened by this user' : 'is taken by another program';
  return `port ${port} ${why}: choose another with ${flag} N or ${variable}=N (0 = any free one)`;
}

function explainHost(code: string, message: string, { server }: LoadedConfig): string | undefined {
  if (!['ENOTFOUND', 'EADDRNOTAVAIL', 'EAI_AGAIN'].includes(code)) return undefined;
  const isOwn = message.includes(server.host);
  const [host, name, ways] = isOwn
    ? [server.host, 'server.host', '--host, TOLLKEEPER_HOST or server.host']
    : [server.adminHost, 'server.admin_host', 'TOLLKEEPER_ADMIN_HOST or server.admin_host'];
  return `${name} ${host} is no address of this machine (${code}): choose another with ${ways}, e.g. 127.0.0.1`;
}

function explainData(message: string, { store }: LoadedConfig): string | undefined {
  if (!message.includes(`'${store.directory}`)) return undefined;
  return `the data directory ${store.directory} cannot be used (${message}): choose another with --data DIR or TOLLKEEPER_DATA, or let this user write there`;
}
