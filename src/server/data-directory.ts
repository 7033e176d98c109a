import { join } from 'node:path';

/** Where the processes of this machine keep their journals and life signs. */
export function journalDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'journal');
}
