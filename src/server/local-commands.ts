import { existsSync, writeFileSync } from 'node:fs';

import type { Command } from 'commander';

import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  reportOutcome,
} from '../cli/command-outcome.ts';
import { formatTable } from '../cli/format-table.ts';
import { auditLedger, checkGateway, type CheckLine, formatChecks } from '../cli/gateway-checks.ts';
import { registerBackupCommands } from './backup-command.ts';
import { formatProblem } from './config/config-problem.ts';
import { readDemoConfig } from './config/demo-config.ts';
import { type ConfigSource, loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { checkDatabase, checkMachine, checkRedis } from './doctor.ts';
import { askInit, type InitFlags, writeInitFiles } from './init.ts';
import { configFile, runDev, type RunFlags, runUp } from './run-gateway.ts';
import { registerMigrateCommand } from './migrate-command.ts';
import { registerStoreCommand } from './store-command.ts';
import { runTest402, type TrialResult } from './test-402/run-test-402.ts';

interface ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** Commands that need no running gateway: they start one, look at a file, or look at this machine. */
export function registerLocalCommands(program: Command, io: CommandIo): void {
  addRunOptions(
    program
      .command('dev')
      .description('run a gateway with play money, an echo model and a demo API'),
  )
    .addHelpText('after', examples('dev', 'dev --port 0 --json'))
    .action((flags: RunFlags) => runDev(flags, io));
  addRunOptions(program.command('up').description('run the gateway of tollkeeper.yaml'))
    .addHelpText('after', examples('up', 'up --config /etc/tollkeeper/tollkeeper.yaml'))
    .action((flags: RunFlags) => runUp(flags, io));
  registerInit(program, io);
  registerCheck(program, io);
  registerConfig(program, io);
  registerDoctor(program, io);
  registerMigrateCommand(program, io);
  registerBackupCommands(program, io);
  registerStoreCommand(program, io, (flags) => loadOrTell(flags, io)?.store);
  registerTest402(program, io);
}

function addRunOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml)')
    .option('--host <address>', 'address to listen on (TOLLKEEPER_HOST)')
    .option('--port <n>', 'port of the gateway, 0 = any free one (TOLLKEEPER_PORT)')
    .option('--admin-port <n>', 'port of the admin API, 0 = any free one (TOLLKEEPER_ADMIN_PORT)')
    .option('--data <dir>', 'directory of the store (TOLLKEEPER_DATA, default .tollkeeper)')
    .option('--workers <n>', 'gateway processes, default one per core (TOLLKEEPER_WORKERS)')
    .option('--json', 'print one line of JSON when ready');
}

function registerInit(program: Command, io: CommandIo): void {
  program
    .command('init')
    .description('write a tollkeeper.yaml for your own API or models')
    .option('--sells <what>', 'api, llm or both')
    .option('--upstream <url>', 'the API to put behind the gateway')
    .option('--price <price>', 'of one call of it, such as "0.001 USD"')
    .option('--model-base-url <url>', 'OpenAI-compatible server to sell models of')
    .option('--model <name>', 'the model to sell')
    .option('--file <file>', 'where to write it (default tollkeeper.yaml)')
    .option('--force', 'overwrite a file that is there')
    .option('--yes', 'ask nothing: defaults for what is not given')
    .option('--json', 'print JSON, for scripts; implies --yes')
    .addHelpText(
      'after',
      examples(
        'init',
        'init --yes --sells api --upstream http://127.0.0.1:9000 --price "0.001 USD"',
      ),
    )
    .action(async (flags: InitFlags) => {
      const asked = await askInit(flags, io);
      if (asked === undefined) {
        io.exit(EXIT.failed);
        return;
      }
      reportOutcome(
        writeInitFiles(asked, { exists: existsSync, write: writeFileSync }),
        io,
        flags.json === true,
      );
    });
}

function registerCheck(program: Command, io: CommandIo): void {
  program
    .command('check')
    .alias('validate')
    .description('tell what is wrong with a configuration')
    .option('--config <file>', 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml)')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('check', 'check --config staging.yaml --json'))
    .action((flags: ConfigFlags) => {
      const loaded = loadConfig(sourceOf(flags, io), { env: io.env });
      if (loaded.kind === 'ok') {
        const { file, catalog, warnings } = loaded.config;
        const json = { ok: true, file, version: catalog.version, warnings };
        if (flags.json !== true) {
          for (const warning of warnings) io.talk(`warning: ${formatProblem(warning)}`);
        }
        reportOutcome(
          { kind: 'done', json, text: `${file} is valid (version ${catalog.version})` },
          io,
          flags.json === true,
        );
        return;
      }
      if (flags.json === true) io.out(JSON.stringify({ ok: false, problems: loaded.problems }));
      else for (const problem of loaded.problems) io.talk(formatProblem(problem));
      io.exit(EXIT.configuration);
    });
}

function registerConfig(program: Command, io: CommandIo): void {
  program
    .command('config')
    .description('look at the configuration')
    .command('print')
    .description('print the configuration with defaults filled in and secrets hidden')
    .option('--config <file>', 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml)')
    .option('--origin', 'where each setting came from')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('config print', 'config print --origin --json'))
    .action((flags: ConfigFlags & { readonly origin?: boolean }) => {
      const config = loadOrTell(flags, io);
      if (config === undefined) return;
      const shown =
        flags.origin === true
          ? { ...record(config.source), origins: config.origins }
          : config.source;
      reportOutcome(
        { kind: 'done', json: shown, text: JSON.stringify(shown, undefined, 2) },
        io,
        flags.json === true,
      );
    });
}

function registerDoctor(program: Command, io: CommandIo): void {
  program
    .command('doctor')
    .description('check this machine, the configuration and the running gateway with its books')
    .option('--config <file>', 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml)')
    .option(
      '--admin <url>',
      'address of the admin API (TOLLKEEPER_ADMIN, default http://127.0.0.1:4021)',
    )
    .option('--data <dir>', 'data directory of the gateway (TOLLKEEPER_DATA, default .tollkeeper)')
    .option('--token-file <file>', 'file with the admin token (default <data>/admin.token)')
    .option('--ledger', 'only audit the books, while the gateways go on')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('doctor', 'doctor --ledger --json'))
    .action(async (flags: ConfigFlags & { readonly data?: string; readonly ledger?: boolean }) => {
      if (flags.ledger === true) {
        reportOutcome(await auditLedger(flags, io), io, flags.json === true);
        return;
      }
      const loaded = loadConfig(sourceOf(flags, io), { env: io.env, flags: { data: flags.data } });
      const lines: readonly CheckLine[] = [
        ...checkMachine(loaded),
        ...(await checkDatabase(loaded)),
        ...(await checkRedis(loaded)),
        ...(await checkGateway(flags, io)),
      ];
      const failed = lines.some((line) => line.status === 'fail');
      reportOutcome(
        {
          kind: 'done',
          json: { ok: !failed, checks: lines },
          text: formatChecks(lines),
          exitCode: failed ? EXIT.dependency : EXIT.ok,
        },
        io,
        flags.json === true,
      );
    });
}

function registerTest402(program: Command, io: CommandIo): void {
  program
    .command('test-402')
    .description('try your configuration against customers in trouble; nothing is forwarded')
    .option('--config <file>', 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml)')
    .option('--api <id>', 'only this API')
    .option('--path <path>', 'a path for routes that match by a regular expression')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('test-402', 'test-402 --api weather --json'))
    .action(async (flags: ConfigFlags & { readonly api?: string; readonly path?: string }) => {
      const config = loadOrTell(flags, io);
      if (config === undefined) return;
      const results = await runTest402(config, { api: flags.api, path: flags.path });
      reportOutcome(describeTrials(results, flags.api, io.color), io, flags.json === true);
    });
}

function describeTrials(
  results: readonly TrialResult[],
  api: string | undefined,
  color: boolean,
): CommandOutcome {
  if (results.length === 0) {
    const which = api === undefined ? 'no API' : `no API "${api}"`;
    const message = `${which} with a route that can be tried: name a path with --path, or check the id`;
    return { kind: 'failed', exitCode: EXIT.configuration, code: 'NOTHING_TO_TEST', message };
  }
  const failed = results.filter(({ ok }) => !ok).length;
  const table = formatTable(
    results,
    [
      { title: 'RESULT', value: ({ ok }) => (ok ? 'pass' : 'FAIL') },
      { title: 'ROUTE', value: ({ route }) => route },
      { title: 'PLAN', value: ({ plan }) => plan },
      { title: 'SCENARIO', value: ({ scenario }) => scenario },
      { title: 'EXPECTED', value: ({ expected }) => expected },
      { title: 'ANSWERED', value: ({ answered }) => answered },
      { title: 'PROBLEM', value: ({ problem }) => problem },
    ],
    color,
  );
  return {
    kind: 'done',
    json: { ok: failed === 0, passed: results.length - failed, failed, results },
    text: `${table}\n${results.length - failed} passed, ${failed} failed`,
    exitCode: failed === 0 ? EXIT.ok : EXIT.failed,
  };
}

/** The named or default file; the demo configuration where there is none, as `dev` does. */
function sourceOf(flags: ConfigFlags, io: CommandIo): ConfigSource {
  const file = configFile(flags, io);
  const named = flags.config !== undefined || io.env['TOLLKEEPER_CONFIG'] !== undefined;
  return named || existsSync(file) ? file : readDemoConfig();
}

function loadOrTell(flags: ConfigFlags, io: CommandIo): LoadedConfig | undefined {
  const loaded = loadConfig(sourceOf(flags, io), { env: io.env });
  if (loaded.kind === 'ok') return loaded.config;
  for (const problem of loaded.problems) io.talk(formatProblem(problem));
  io.exit(EXIT.configuration);
  return undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ tollkeeper ${line}`).join('\n')}`;
}
