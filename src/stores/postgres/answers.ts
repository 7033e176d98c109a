import { type Remembered, rememberedAs, type RememberedAnswer } from '../remembered.ts';
import type { Database } from './database.ts';
import { Statement } from './statement.ts';

const ADD = new Statement<{ readonly key: string }>(
  `INSERT INTO idempotency (key, fingerprint, answer) VALUES ($1, $2, $3)
   ON CONFLICT DO NOTHING RETURNING key`,
);
const SELECT = new Statement<RememberedAnswer>(
  'SELECT fingerprint, answer FROM idempotency WHERE key = $1',
);
const ADD_SECRET = new Statement<never>(
  'INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING',
);
const SELECT_SECRET = new Statement<{ readonly value: string }>(
  'SELECT value FROM secrets WHERE name = $1',
);

/** What was said once stays said: answers to idempotent requests (BILL-13) and secrets of this installation. */
export class Answers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  remember(key: string, fingerprint: string, answer: string): Promise<Remembered> {
    return this.#database.write(async (transaction) => {
      const [added, [kept]] = await Promise.all([
        transaction.query(ADD, key, fingerprint, answer),
        transaction.query(SELECT, key),
      ]);
      return rememberedAs(added.length === 1, kept, { fingerprint, answer });
    });
  }

  async recall(key: string): Promise<RememberedAnswer | undefined> {
    const [kept] = await this.#database.query(SELECT, key);
    return kept;
  }

  async secret(name: string, candidate: string): Promise<string> {
    const [known] = await this.#database.query(SELECT_SECRET, name);
    if (known !== undefined) return known.value;
    return this.#database.write(async (transaction) => {
      transaction.send(ADD_SECRET, name, candidate);
      const [kept] = await transaction.query(SELECT_SECRET, name);
      return kept?.value ?? candidate;
    });
  }
}
