import { setTimeout as sleep } from 'node:timers/promises';

import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg';

import { StoreError } from '../store-error.ts';
import { hasLostSession, isRepeatable, toStoreError } from './postgres-error.ts';
import { assertBindable, type SqlValue, Statement } from './statement.ts';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, with the options of libpq. A secret. */
  readonly url: string;
  /** Most connections of this process. */
  readonly connections: number;
}

/** No statement of ours takes long; one that does waits for somebody, and gives up first where it holds locks. */
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5000;
/** A process that was stopped or cut off in a transaction holds up the others no longer than this. */
const IDLE_TRANSACTION_MS = 10_000;
/** Beyond what the server allows itself: it is gone, or the network is. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2000;
const CONNECT_TIMEOUT_MS = 5000;
const KEEP_ALIVE_MS = 10_000;
const ATTEMPTS_MAX = 8;
const PAUSE_FIRST_MS = 5;

const BEGIN = new Statement<never>('BEGIN ISOLATION LEVEL READ COMMITTED');
const BEGIN_SNAPSHOT = new Statement<never>('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
const COMMIT = new Statement<never>('COMMIT');
const ROLLBACK = new Statement<never>('ROLLBACK');

/** A bounded number of connections to one database, and what runs in transactions on them. */
export class Database {
  readonly #pool: Pool;

  constructor({ url, connections }: DatabaseOptions) {
    this.#pool = new Pool({
      connectionString: url,
      max: connections,
      // The wait for a free connection has no bound in time, and one in number where calls come in.
      Client: ImpatientClient,
      application_name: 'tollkeeper',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // Statements that do not need the answers of those before them are sent without waiting for these.
      pipeline: true,
      types: { getTypeParser },
    });
    // A connection that breaks while nobody uses it: the next call makes another, and says so if it cannot.
    this.#pool.on('error', () => undefined);
  }

  /** One statement by itself. */
  query<Row>(statement: Statement<Row>, ...values: readonly SqlValue[]): Promise<readonly Row[]> {
    return repeat(async () => {
      const client = await this.#connect();
      let isUsable = false;
      try {
        const rows = await send(client, statement, values);
        isUsable = true;
        return rows;
      } finally {
        client.release(!isUsable);
      }
    });
  }

  /**
   * Runs `body` at READ COMMITTED: it locks the rows it decides by, always in the same order (docs/decisions), and
   * nothing of it stays when it throws. It may run several times.
   */
  write<Result>(body: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return repeat(() => this.#run(BEGIN, body));
  }

  /** Runs `body` on one snapshot, and waits for no writer. */
  read<Result>(body: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return repeat(() => this.#run(BEGIN_SNAPSHOT, body));
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #run<Result>(
    begin: Statement<never>,
    body: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.#connect();
    const transaction = new Transaction(client);
    let isUsable = true;
    try {
      transaction.send(begin);
      const result = await body(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      const failure = transaction.failure ?? error;
      isUsable = (await transaction.rollBack()) && !hasLostSession(failure);
      throw failure;
    } finally {
      client.release(!isUsable);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw toStoreError(error);
    }
  }
}

/** What runs on one connection until it is committed. */
export class Transaction {
  readonly #client: PoolClient;
  readonly #sent: Promise<unknown>[] = [];
  #failure: unknown;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Of the first statement that failed: those after it only say that one did. */
  get failure(): unknown {
    return this.#failure;
  }

  query<Row>(statement: Statement<Row>, ...values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#noted(send(this.#client, statement, values));
  }

  /** The same for one that may take longer than others, by the server's `statement_timeout` too. */
  queryFor<Row>(timeoutMs: number, statement: Statement<Row>): Promise<readonly Row[]> {
    return this.#noted(send(this.#client, statement, [], timeoutMs));
  }

  /** A statement whose answer nobody needs: `commit` fails when it does. */
  send(statement: Statement<never>, ...values: readonly SqlValue[]): void {
    const answer = this.query(statement, ...values);
    answer.catch(() => undefined);
    this.#sent.push(answer);
  }

  /** Several statements, none of which has values. */
  async execute(sql: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<void> {
    const query = { text: sql, query_timeout: timeoutMs };
    await this.#noted(guarded(() => this.#client.query(query)));
  }

  /** Goes out with what was sent before: after a failure of that, the server rolls back instead. */
  async commit(): Promise<void> {
    await Promise.all([...this.#sent, this.query(COMMIT)]);
  }

  /** False = this connection cannot be used any more. */
  rollBack(): Promise<boolean> {
    return send(this.#client, ROLLBACK, []).then(
      () => true,
      () => false,
    );
  }

  async #noted<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }
}

/**
 * The time-out of the pool would also end the wait for a connection that others use, so each connection has its own. One
 * that breaks between two statements is noticed by the next of them; without a listener it would end the thread.
 */
class ImpatientClient extends Client {
  constructor(config?: string | ClientConfig) {
    const given = typeof config === 'string' ? { connectionString: config } : config;
    super({ ...given, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    this.on('error', () => undefined);
  }
}

async function send<Row>(
  client: PoolClient,
  statement: Statement<Row>,
  values: readonly SqlValue[],
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<readonly Row[]> {
  assertBindable(values);
  const { name, text } = statement;
  const query = { name, text, values: [...values], query_timeout: timeoutMs };
  const { rows } = await guarded(() => client.query(query));
  return statement.rows(rows);
}

async function guarded<Result>(body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw toStoreError(error);
  }
}

/** Begins again what others got in the way of, after pauses that grow and are no two alike. */
async function repeat<Result>(body: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      return await body();
    } catch (error) {
      if (!isRepeatable(error)) throw error;
      if (attempt === ATTEMPTS_MAX) throw givenUp(error);
      const pauseMs = PAUSE_FIRST_MS * 2 ** (attempt - 1);
      // oxlint-disable-next-line no-await-in-loop -- the pause between two attempts
      await sleep(Math.ceil(Math.random() * pauseMs));
    }
  }
}

function givenUp(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError('unavailable', `${ATTEMPTS_MAX} attempts met others at work: ${reason}`);
}

/** Of https://www.postgresql.org/docs/current/catalog-pg-type.html. */
const INT8_OID = 20;

const getTypeParser: typeof types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8_OID ? parseInt8 : types.getTypeParser(oid, format as 'text');

function parseInt8(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new StoreError('unsafe_amount', `${text} is too large to be counted exactly`);
}
