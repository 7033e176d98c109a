import { AUDIT_CHECKS, VIOLATIONS_PER_CHECK_MAX } from '../ledger/audit-checks.ts';
import type { Violation } from '../store.ts';
import type { Database, Statement } from './database.ts';

/** The invariants of DESIGN 5 on live data. */
export class Audit {
  readonly #database: Database;
  readonly #checks: readonly {
    readonly invariant: string;
    readonly select: Statement<{ readonly detail: string }>;
  }[];

  constructor(database: Database) {
    this.#database = database;
    this.#checks = AUDIT_CHECKS.map(({ invariant, sql }) => ({
      invariant,
      select: database.prepare(`${sql} LIMIT ${VIOLATIONS_PER_CHECK_MAX}`),
    }));
  }

  run(): readonly Violation[] {
    return this.#database.read(() => this.find());
  }

  /** The same inside the transaction of its caller. */
  find(): readonly Violation[] {
    return this.#checks.flatMap(({ invariant, select }) =>
      select.all().map(({ detail }) => ({ invariant, detail })),
    );
  }
}
