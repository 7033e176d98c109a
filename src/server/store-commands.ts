import type { Command } from 'commander';

import type { CommandIo } from '../cli/command-outcome.ts';
import type { StoreFlags } from './choose-store.ts';
import { CONFIG_OPTION } from './config-option.ts';
import type { RestoreFlags } from './run-backup.ts';
import type { MigrateFlags } from './run-migrate.ts';
import type { CopyFlags } from './run-store-copy.ts';

/** Commands that care for the store: `migrate`, `backup`, `restore` and `store copy`. */
export function registerStoreCommands(program: Command, io: CommandIo): void {
  registerMigrate(program, io);
  registerBackup(program, io);
  registerRestore(program, io);
  registerCopy(program, io);
}

function registerMigrate(program: Command, io: CommandIo): void {
  program
    .command('migrate')
    .description('bring the store to the schema of this version, as every start does')
    .option('--check', 'change nothing; exit with 1 when there is something to do')
    .option('--config <file>', CONFIG_OPTION)
    .option('--data <dir>', 'directory of a SQLite store, in place of what the configuration says')
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tollkeeper migrate --check\n  $ tollkeeper migrate --config /etc/tollkeeper/tollkeeper.yaml --json',
    )
    .action(async (flags: MigrateFlags) =>
      (await import('./run-migrate.ts')).runMigrate(flags, io),
    );
}

function registerBackup(program: Command, io: CommandIo): void {
  program
    .command('backup <dir>')
    .description('copy the data of a SQLite store into a new directory, while the gateway goes on')
    .option('--config <file>', CONFIG_OPTION)
    .option('--data <dir>', 'data directory, in place of what the configuration says')
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tollkeeper backup /backups/monday\n  $ tollkeeper backup /backups/monday --data /var/lib/tollkeeper --json',
    )
    .action(async (target: string, flags: StoreFlags) =>
      (await import('./run-backup.ts')).runBackup(target, flags, io),
    );
}

function registerRestore(program: Command, io: CommandIo): void {
  program
    .command('restore <dir>')
    .description('put a backup into the data directory of a gateway that is stopped')
    .option('--config <file>', CONFIG_OPTION)
    .option('--data <dir>', 'data directory, in place of what the configuration says')
    .option('--replace', 'move what is in the data directory aside, into a directory of its own')
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tollkeeper restore /backups/monday --data /var/lib/tollkeeper\n  $ tollkeeper restore /backups/monday --replace --json',
    )
    .action(async (source: string, flags: RestoreFlags) =>
      (await import('./run-backup.ts')).runRestore(source, flags, io),
    );
}

function registerCopy(program: Command, io: CommandIo): void {
  program
    .command('store')
    .description('care for the store of a gateway that is stopped')
    .command('copy')
    .description('copy a SQLite store into an empty PostgreSQL database, and compare the two')
    .option('--config <file>', CONFIG_OPTION)
    .option('--from <dir>', 'data directory with the SQLite store (default store.directory)')
    .option('--to <url>', 'connection string of the database (default store.url)')
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      `\nExamples:\n  $ tollkeeper store copy --from .tollkeeper --to "$DATABASE_URL"\n  $ tollkeeper store copy --json`,
    )
    .action(async (flags: CopyFlags) =>
      (await import('./run-store-copy.ts')).runStoreCopy(flags, io),
    );
}
