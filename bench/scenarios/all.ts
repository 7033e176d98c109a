import type { Scenario } from '../scenario.ts';
import { keys } from './keys.ts';
import { largeBody } from './large-body.ts';
import { latency } from './latency.ts';
import { portkey } from './portkey.ts';
import { routes } from './routes.ts';
import { soak } from './soak.ts';
import { startUp } from './start-up.ts';
import { stores } from './stores.ts';
import { stream } from './stream.ts';
import { tenants } from './tenants.ts';
import { workers } from './workers.ts';

/** In the order of the page. */
export const SCENARIOS: readonly Scenario[] = [
  portkey,
  latency,
  keys,
  tenants,
  routes,
  stores,
  workers,
  stream,
  largeBody,
  startUp,
  soak,
];
