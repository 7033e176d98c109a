import { Database } from './database.ts';
import { MIGRATIONS, readNewest } from './migrations.ts';
import { Statement } from './statement.ts';

export interface ServerReport {
  /** `15.18`. */
  readonly version: string;
  /** Steps of the schema that were made; 0 = none yet. */
  readonly schema: number;
  /** Steps this program knows. */
  readonly schemaKnown: number;
  /** False = what was confirmed is lost when the server is killed. */
  readonly confirmsWhatItKeeps: boolean;
  /** False = what was confirmed is lost when the machine loses power. */
  readonly survivesPowerLoss: boolean;
}

const SETTINGS = new Statement<{
  readonly version: string;
  readonly synchronous_commit: string;
  readonly fsync: string;
}>(
  `SELECT current_setting('server_version') AS version,
     current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync`,
);

/** What `doctor` wants to know of a server. Changes nothing. Throws StoreError when it does not answer. */
export async function inspectServer(url: string): Promise<ServerReport> {
  const database = new Database({ url, connections: 1 });
  try {
    const [settings] = await database.query(SETTINGS);
    return {
      version: settings?.version ?? 'unknown',
      schema: await readNewest(database),
      schemaKnown: MIGRATIONS.length,
      confirmsWhatItKeeps: settings?.synchronous_commit !== 'off',
      survivesPowerLoss: settings?.fsync === 'on',
    };
  } finally {
    await database.close();
  }
}
