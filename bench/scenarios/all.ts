import type { Scenario } from '../scenario.ts';
import { keys } from './keys.ts';
import { routes } from './routes.ts';
import { stores } from './stores.ts';
import { tenants } from './tenants.ts';
import { workers } from './workers.ts';

/** In the order of the page. */
export const SCENARIOS: readonly Scenario[] = [keys, tenants, routes, stores, workers];
