import type { Scenario } from '../scenario.ts';
import { keys } from './keys.ts';
import { tenants } from './tenants.ts';

/** In the order of the page. */
export const SCENARIOS: readonly Scenario[] = [keys, tenants];
