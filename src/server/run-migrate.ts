import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  reportOutcome,
} from '../cli/command-outcome.ts';
import { assertKnownSchema, type SchemaChange } from '../stores/schema-version.ts';
import { inspectDirectory, migrateDirectory, SCHEMA_KNOWN } from '../stores/sqlite/schema.ts';
import { chooseStore, outcomeOf, type StoreFlags } from './choose-store.ts';
import type { StoreSettings } from './config/loaded-config.ts';

export interface MigrateFlags extends StoreFlags {
  readonly check?: boolean;
}

/** `tollkeeper migrate`. */
export async function runMigrate(flags: MigrateFlags, io: CommandIo): Promise<void> {
  const store = chooseStore(flags, io);
  if (store === undefined) return;
  const outcome = await outcomeOf(async () =>
    flags.check === true
      ? describePending(store, await inspect(store))
      : describeMade(store, await migrate(store)),
  );
  reportOutcome(outcome, io, flags.json === true);
}

async function migrate(store: StoreSettings): Promise<SchemaChange> {
  if (store.type === 'sqlite') return migrateDirectory(store.directory);
  const { migrateServer } = await import('../stores/postgres/schema.ts');
  return migrateServer(store.url);
}

/** Where the store is, and where `migrate` would bring it. */
async function inspect(store: StoreSettings): Promise<SchemaChange> {
  if (store.type === 'sqlite') {
    return checked({ from: inspectDirectory(store.directory), to: SCHEMA_KNOWN });
  }
  const { inspectServer } = await import('../stores/postgres/inspect-server.ts');
  const { schema, schemaKnown } = await inspectServer(store.url);
  return checked({ from: schema, to: schemaKnown });
}

function checked(change: SchemaChange): SchemaChange {
  assertKnownSchema(change.from, change.to);
  return change;
}

function describeMade(store: StoreSettings, { from, to }: SchemaChange): CommandOutcome {
  const steps = to - from;
  const json = { ok: true, store: store.type, from, to, steps };
  const text =
    steps === 0
      ? `${nameOf(store)} has schema version ${to}: nothing to do`
      : `${nameOf(store)} is at schema version ${to} now, from ${from}: ${countSteps(steps)} made`;
  return { kind: 'done', json, text };
}

function describePending(store: StoreSettings, { from, to }: SchemaChange): CommandOutcome {
  const steps = to - from;
  const json = { ok: steps === 0, store: store.type, from, to, steps };
  if (steps === 0) {
    return { kind: 'done', json, text: `${nameOf(store)} has schema version ${to}: up to date` };
  }
  return {
    kind: 'done',
    json,
    text: `${nameOf(store)} has schema version ${from}, this program ${to}: ${countSteps(steps)} to make`,
    hint: 'next: back up the store with the version that wrote it, then tollkeeper migrate, or start the gateway',
    exitCode: EXIT.failed,
  };
}

function nameOf(store: StoreSettings): string {
  return store.type === 'sqlite' ? `the SQLite store in ${store.directory}` : 'the database';
}

function countSteps(steps: number): string {
  return steps === 1 ? '1 step' : `${steps} steps`;
}
