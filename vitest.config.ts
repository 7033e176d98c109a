import { defineConfig } from 'vitest/config';

const typescriptLoader = new URL('./tools/typescript.mjs', import.meta.url).href;

/**
 * Tests of whole processes that wait, or look at one answer after the other, for most of their time: two of them leave
 * each other enough of two processors. All that drive load, kill, or measure are by themselves.
 */
const QUIET = [
  'agreements',
  'backup',
  'bad-input',
  'cli',
  'clock-jumps',
  'demo',
  'deploy',
  'durability',
  'end-users',
  'every-code',
  'explained',
  'full-disk',
  'gate',
  'lifecycle',
  'limits',
  'listening-workers',
  'lost-machine',
  'migrate',
  'observe',
  'orphans',
  'oracle/server',
  'pages',
  'postgres',
  'postgres-backup',
  'public-pages',
  'quote',
  'reconcile',
  'reference-page',
  'refusal-page',
  'refusals',
  'sdk',
  'sdk-dialects',
  'shared-rates',
  'sliding',
  'store-copy',
  'store-down',
  'store-network',
  'test-402',
  'tidy',
  'windows',
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    // Forks, each with the TypeScript loader, so that a test may start a worker_thread from a .ts file:
    // Node 20 cannot read TypeScript by itself and vitest's own transform ends at the test process.
    pool: 'forks',
    isolate: false,
    setupFiles: ['./test/support/fresh-modules.ts'],
    execArgv: ['--import', typescriptLoader],
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    unstubEnvs: true,
    restoreMocks: true,
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'json-summary'],
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/**/*.conformance.ts'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          maxWorkers: 2,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'quiet processes',
          include: QUIET,
          maxWorkers: 2,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Gateways under load: one file at a time, so that two of them never fight over the processor while one
        // waits for the other's bound.
        extends: true,
        test: {
          name: 'processes',
          include: ['test/**/*.test.ts'],
          exclude: QUIET,
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
