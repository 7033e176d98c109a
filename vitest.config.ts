import { defineConfig } from 'vitest/config';

const typescriptLoader = new URL('./tools/typescript.mjs', import.meta.url).href;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    // Forks, each with the TypeScript loader, so that a test may start a worker_thread or a child from a .ts file:
    // Node 20 cannot read TypeScript by itself and vitest's own transform ends at the test process.
    pool: 'forks',
    execArgv: ['--import', typescriptLoader],
    maxWorkers: 2,
    testTimeout: 30_000,
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
  },
});
