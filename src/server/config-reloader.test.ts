import { expect, it } from 'vitest';

import { loadText } from '../../test/support/check-config.ts';
import type { Catalog } from '../domain/catalog.ts';
import { createLogger } from '../platform/logger.ts';
import { parseCatalog } from './config/parse-catalog.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { ConfigReloader } from './config-reloader.ts';

function load(requests: number): LoadedConfig {
  const limits = `limits: [{ requests: ${requests}, per: month }]`;
  return loadText(`{ version: 1, plans: { free: { title: Free, price: free, ${limits} } } }`);
}

const RESOLVED = { resolve: (catalog: Catalog) => Promise.resolve(catalog) };

/** A reloader over workers that take a new configuration when they are told to, and then say so or not. */
function openReloader(current: LoadedConfig, builtins = RESOLVED) {
  const adopted: string[] = [];
  let letGo = (_confirmed: boolean): void => undefined;
  const reloader = new ConfigReloader({
    crew: {
      adopt: ({ catalog }) =>
        new Promise((resolve) => {
          letGo = (confirmed) => {
            adopted.push(parseCatalog(catalog).version);
            resolve(confirmed);
          };
        }),
    },
    builtins,
    logger: createLogger({ level: 'silent' }),
    auditTrail: { info: () => undefined },
    watch: { current, reload: () => ({ kind: 'unchanged' }) },
  });
  return { reloader, adopted, letGo: (confirmed = true) => letGo(confirmed) };
}

const changed = (config: LoadedConfig) => ({ kind: 'changed', config, changes: [] }) as const;
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('GW-03: "unchanged" is said only when every worker has what an earlier reload read', async () => {
  const config = load(5);
  const { reloader, adopted, letGo } = openReloader(config);
  void reloader.take(changed(config));
  let answered = false;
  const second = reloader.read().finally(() => {
    answered = true;
  });
  await turn();
  expect(answered).toBe(false);
  letGo();
  const nothing = { changed: [], needsRestart: [], inForce: true };
  expect(await second).toEqual({
    kind: 'reloaded',
    version: config.catalog.version,
    ...nothing,
  });
  expect(adopted).toEqual([config.catalog.version]);
});

it('what a worker has not confirmed is told again by the next reload, also when nothing changed', async () => {
  const config = load(5);
  const { reloader, adopted, letGo } = openReloader(config);
  const first = reloader.take(changed(config));
  await turn();
  letGo(false);
  await first;
  for (const confirmed of [false, true]) {
    const again = reloader.read();
    // oxlint-disable-next-line no-await-in-loop -- the second reload is asked for once the first has answered
    await turn();
    letGo(confirmed);
    // oxlint-disable-next-line no-await-in-loop -- the second reload is asked for once the first has answered
    expect(await again).toMatchObject({ changed: [], inForce: confirmed });
  }
  expect(await reloader.read()).toMatchObject({ inForce: true });
  expect(adopted).toHaveLength(3);
});

it('a reload that was overtaken while it waited does not bring the older configuration back', async () => {
  const [older, newer] = [load(5), load(10)];
  const { reloader, adopted, letGo } = openReloader(newer);
  const first = reloader.take(changed(newer));
  const second = reloader.take(changed(older));
  await turn();
  letGo();
  await first;
  await turn();
  letGo();
  await second;
  expect(adopted).toEqual([newer.catalog.version, newer.catalog.version]);
});

it('a built-in server that cannot be started ends no reload after it, and nobody who does not wait for one', async () => {
  const config = load(5);
  let starts = 0;
  const { reloader, adopted, letGo } = openReloader(config, {
    resolve: (catalog) => {
      starts += 1;
      return starts === 1 ? Promise.reject(new Error('no port left')) : Promise.resolve(catalog);
    },
  });
  await reloader.take(changed(config));
  const second = reloader.take(changed(config));
  await turn();
  letGo();
  await second;
  expect(adopted).toEqual([config.catalog.version]);
});
