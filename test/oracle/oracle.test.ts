import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/server/config/load-config.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { cases, shops } from './cases.ts';
import { MemoryStage } from './memory-stage.ts';
import { renderShop } from './render-shop.ts';
import type { Shop } from './shop.ts';
import { tryCase } from './trial.ts';

const SHOPS = 100;
const CASES_A_SHOP = { minLength: 1, maxLength: 20 };
/** The same in every run, so that a change is what makes it fail. `ORACLE_SEED=7`, or any other, looks for what they miss. */
const { ORACLE_SEED } = process.env;
const SEEDS = ORACLE_SEED === undefined ? [1, 2] : [Number(ORACLE_SEED)];

describe('C402-01, C402-07, C402-15: an oracle written from the resolutions alone', () => {
  it.each(SEEDS)(
    'agrees with the pipeline on hundreds of calls of generated shops: seed %i',
    { timeout: 300_000 },
    async (seed) => {
      let played = 0;
      await fc.assert(
        fc.asyncProperty(shops(), fc.array(cases(), CASES_A_SHOP), async (shop, all) => {
          const stage = new MemoryStage(load(shop));
          for (const each of all) {
            // oxlint-disable-next-line no-await-in-loop -- each case leaves the stage as it found it
            await tryCase(stage, shop, each);
            played += 1;
          }
        }),
        { numRuns: SHOPS, seed },
      );
      expect(played).toBeGreaterThan(SHOPS);
    },
  );
});

function load(shop: Shop): Catalog {
  const upstreams = { api: 'http://127.0.0.1:9', model: 'http://127.0.0.1:9' };
  const loaded = loadConfig(
    { text: renderShop(shop, upstreams), file: 'tollkeeper.yaml' },
    { env: {} },
  );
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems, null, 1));
  return loaded.config.catalog;
}
