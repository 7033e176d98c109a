import type { Command } from 'commander';

import type { CommandIo } from '../cli/command-outcome.ts';
import type { ConfigFlags } from './choose-config.ts';
import { CONFIG_OPTION, OWN_CONFIG_OPTION } from './config-option.ts';
import type { InitFlags } from './init.ts';
import type { RunFlags } from './run-gateway.ts';
import { registerStoreCommands } from './store-commands.ts';

/**
 * Commands that need no running gateway: they start one, look at a file, or look at this machine. Each loads what it
 * needs when it runs, so that the others are quick.
 */
export function registerLocalCommands(program: Command, io: CommandIo): void {
  addRunOptions(
    program
      .command('dev')
      .description('run a gateway with play money, an echo model and a demo API'),
    CONFIG_OPTION,
  )
    .addHelpText('after', examples('dev', 'dev --port 0 --json'))
    .action(async (flags: RunFlags) => (await import('./run-gateway.ts')).runDev(flags, io));
  addRunOptions(
    program.command('up').description('run the gateway of tollkeeper.yaml'),
    OWN_CONFIG_OPTION,
  )
    .addHelpText('after', examples('up', 'up --config /etc/tollkeeper/tollkeeper.yaml'))
    .action(async (flags: RunFlags) => (await import('./run-gateway.ts')).runUp(flags, io));
  registerInit(program, io);
  registerCheck(program, io);
  registerConfig(program, io);
  registerDoctor(program, io);
  registerStoreCommands(program, io);
  registerTest402(program, io);
}

function addRunOptions(command: Command, configOption: string): Command {
  return command
    .option('--config <file>', configOption)
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
    .action(async (flags: InitFlags) => (await import('./init.ts')).runInit(flags, io));
}

function registerCheck(program: Command, io: CommandIo): void {
  program
    .command('check')
    .alias('validate')
    .description('tell what is wrong with a configuration')
    .option('--config <file>', CONFIG_OPTION)
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('check', 'check --config staging.yaml --json'))
    .action(async (flags: ConfigFlags) => (await import('./run-check.ts')).runCheck(flags, io));
}

function registerConfig(program: Command, io: CommandIo): void {
  program
    .command('config')
    .description('look at the configuration')
    .command('print')
    .description('print the configuration with defaults filled in and secrets hidden')
    .option('--config <file>', CONFIG_OPTION)
    .option('--origin', 'where each setting came from')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('config print', 'config print --origin --json'))
    .action(async (flags: ConfigFlags) => (await import('./run-check.ts')).printConfig(flags, io));
}

function registerDoctor(program: Command, io: CommandIo): void {
  program
    .command('doctor')
    .description('check this machine, the configuration and the running gateway with its books')
    .option('--config <file>', CONFIG_OPTION)
    .option(
      '--admin <url>',
      'address of the admin API (TOLLKEEPER_ADMIN, default http://127.0.0.1:4021)',
    )
    .option('--data <dir>', 'data directory of the gateway (TOLLKEEPER_DATA, default .tollkeeper)')
    .option('--token-file <file>', 'file with the admin token (default <data>/admin.token)')
    .option('--ledger', 'only audit the books, while the gateways go on')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('doctor', 'doctor --ledger --json'))
    .action(async (flags: ConfigFlags) => (await import('./run-doctor.ts')).runDoctor(flags, io));
}

function registerTest402(program: Command, io: CommandIo): void {
  program
    .command('test-402')
    .description('try your configuration against customers in trouble; nothing is forwarded')
    .option('--config <file>', CONFIG_OPTION)
    .option('--api <id>', 'only this API')
    .option('--path <path>', 'a path for routes that match by a regular expression')
    .option('--json', 'print JSON, for scripts')
    .addHelpText('after', examples('test-402', 'test-402 --api weather --json'))
    .action(async (flags: ConfigFlags) =>
      (await import('./report-test-402.ts')).reportTest402(flags, io),
    );
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ tollkeeper ${line}`).join('\n')}`;
}
