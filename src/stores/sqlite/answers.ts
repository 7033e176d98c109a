import { type Remembered, rememberedAs, type RememberedAnswer } from '../remembered.ts';
import type { Database, Statement } from './database.ts';

/** What was said once stays said: answers to idempotent requests (BILL-13) and secrets of this installation. */
export class Answers {
  readonly #database: Database;
  readonly #insert: Statement<never>;
  readonly #select: Statement<RememberedAnswer>;
  readonly #insertSecret: Statement<never>;
  readonly #selectSecret: Statement<{ readonly value: string }>;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO idempotency (key, fingerprint, answer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#select = database.prepare('SELECT fingerprint, answer FROM idempotency WHERE key = ?');
    this.#insertSecret = database.prepare(
      'INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING',
    );
    this.#selectSecret = database.prepare('SELECT value FROM secrets WHERE name = ?');
  }

  remember(key: string, fingerprint: string, answer: string): Remembered {
    return this.#database.write(() => {
      const isNew = this.#insert.run(key, fingerprint, answer) === 1;
      return rememberedAs(isNew, this.#select.get(key), { fingerprint, answer });
    });
  }

  recall(key: string): RememberedAnswer | undefined {
    return this.#select.get(key);
  }

  secret(name: string, candidate: string): string {
    const known = this.#selectSecret.get(name)?.value;
    if (known !== undefined) return known;
    return this.#database.write(() => {
      this.#insertSecret.run(name, candidate);
      return this.#selectSecret.get(name)?.value ?? candidate;
    });
  }
}
