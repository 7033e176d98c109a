import { resolve } from 'node:path';

import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  type Failure,
  reportOutcome,
} from '../cli/command-outcome.ts';
import { formatTable } from '../cli/format-table.ts';
import type { Comparison, CopyResult } from '../stores/store-copy.ts';
import { type ConfigFlags, loadOrTell } from './choose-config.ts';
import { outcomeOf } from './choose-store.ts';
import type { StoreSettings } from './config/loaded-config.ts';
import { type CopyPlan, type CopyRefusal, copyStore } from './copy-store.ts';
import { formatViolations } from './store-refusal.ts';

export interface CopyFlags extends ConfigFlags {
  readonly from?: string;
  readonly to?: string;
}

const POSTGRES_URL = /^postgres(ql)?:\/\//;

/** `tollkeeper store copy`. */
export async function runStoreCopy(flags: CopyFlags, io: CommandIo): Promise<void> {
  const plan = choosePlan(flags, io);
  if (plan === undefined) return;
  const outcome =
    'kind' in plan ? plan : await outcomeOf(async () => describe(await copyStore(plan), io.color));
  reportOutcome(outcome, io, flags.json === true);
}

/** Undefined = the configuration is needed and invalid, which was told. */
function choosePlan(flags: CopyFlags, io: CommandIo): CopyPlan | Failure | undefined {
  const { from, to } = flags;
  if (from?.includes('://') === true) {
    return misuse('--from is the data directory of a SQLite store: only those are copied');
  }
  if (to !== undefined && !POSTGRES_URL.test(to)) {
    return misuse('--to is a connection string: postgres://user:password@host:5432/database');
  }
  if (from !== undefined && to !== undefined) return { directory: resolve(from), url: to };
  const store = readStore(flags, io);
  if (store === undefined) return undefined;
  const url = to ?? (store.type === 'postgres' ? store.url : undefined);
  if (url === undefined) {
    return misuse(
      'name the database to copy to: --to postgres://..., or `store` of tollkeeper.yaml',
    );
  }
  return { directory: from === undefined ? store.directory : resolve(from), url };
}

/** The store of the configuration; undefined = that is invalid, which was told. */
function readStore(flags: CopyFlags, io: CommandIo): StoreSettings | undefined {
  return loadOrTell(flags, io)?.store;
}

function misuse(message: string): Failure {
  return { kind: 'failed', exitCode: EXIT.usage, code: 'INVALID_OPTION', message };
}

function describe(result: CopyResult | CopyRefusal, color: boolean): CommandOutcome {
  switch (result.kind) {
    case 'refused': {
      const { code, message } = result;
      return { kind: 'failed', exitCode: EXIT.failed, code, message };
    }
    case 'not_empty':
      return {
        kind: 'failed',
        exitCode: EXIT.failed,
        code: 'TARGET_NOT_EMPTY',
        message: `table ${result.table} of the database has rows: make a database that no gateway has used, and copy into that`,
      };
    case 'copied':
      return {
        kind: 'done',
        json: { ok: true, comparisons: result.comparisons, violations: [] },
        text: `${formatComparisons(result.comparisons, color)}\nthe copy is the same, and its books add up`,
        hint: 'next: set `store` of tollkeeper.yaml to this database, and never start a gateway on the SQLite store again',
      };
    case 'different': {
      const { comparisons, violations } = result;
      const lines = [formatComparisons(comparisons, color), ...formatViolations(violations)];
      return {
        kind: 'done',
        json: { ok: false, comparisons, violations },
        text: `${lines.join('\n')}\nthe copy was not the same and has been taken back: the database is empty`,
        exitCode: EXIT.failed,
      };
    }
  }
}

function formatComparisons(comparisons: readonly Comparison[], color: boolean): string {
  return formatTable(
    comparisons,
    [
      { title: 'COMPARED', value: ({ name }) => name },
      { title: 'SQLITE', value: ({ source }) => String(source) },
      { title: 'POSTGRESQL', value: ({ target }) => String(target) },
      {
        title: 'RESULT',
        value: ({ difference }) =>
          difference === undefined ? 'identical' : `DIFFERENT: ${difference}`,
      },
    ],
    color,
  );
}
