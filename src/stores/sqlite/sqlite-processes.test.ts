import { makeDirectory, removeDirectory } from '../../../test/support/temporary-directory.ts';
import { describeProcesses } from '../store-processes.conformance.ts';
import { openSqliteStore } from './sqlite-store.ts';

describeProcesses('sqlite', async () => {
  const directory = makeDirectory('store');
  return {
    moduleUrl: new URL('./sqlite-store.ts', import.meta.url).href,
    open: openSqliteStore.name,
    options: { directory },
    connect: () => openSqliteStore({ directory }),
    dispose: async () => removeDirectory(directory),
  };
});
