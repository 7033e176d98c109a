import { z } from 'zod';
import { addOnSchema } from './add-on-schema.ts';
import { apiSchema } from './api-schema.ts';
import { customisations } from './customise-schema.ts';
import { houseLimitSchema, LIMITS_MAX, UNIQUE_LIMITS } from './limit-schema.ts';
import { durability, expects, idName, listOf, modelName, title, wholeNumber } from './parts.ts';
import { enforcement, packSchema, planSchema } from './plan-schema.ts';
import { amount } from './price-schema.ts';
import { redisSchema } from './redis-schema.ts';
import { logSchema, serverSchema, storeSchema } from './server-schema.ts';
import { jobsSchema, journalSchema } from './upkeep-schema.ts';
import { aliasSchema, modelSchema, providerSchema, upstreamSchema } from './upstream-schema.ts';

export const DEFAULT_ASSET = 'USD';
/** ISO 4217. Other assets have other smallest units and come with their rails. */
export const ASSET = /^[A-Z]{3}$/;

/** Where the gateway runs and what it keeps: the same whatever is sold. */
const MACHINE = {
  $schema: z
    .string()
    .optional()
    .describe('For editors of JSON; YAML uses a comment in the first line.'),
  version: z
    .literal(1, expects('expected 1: the version of this file format'))
    .describe('Version of this file format.'),
  server: serverSchema.prefault({}).describe('Where the gateway listens, and its bounds.'),
  store: storeSchema.prefault({}).describe('Where money and keys are kept.'),
  redis: redisSchema,
  journal: journalSchema.prefault({}).describe('What becomes of journals once they are settled.'),
  jobs: jobsSchema.prefault({}).describe('What is done once for all machines, again and again.'),
} as const;

let latest: { readonly asset: string; readonly schema: ReturnType<typeof buildSchema> } | undefined;

/** The whole of tollkeeper.yaml. Every amount in it is in `asset`, which the caller reads from the file first. */
export function configSchema(asset: string): ReturnType<typeof buildSchema> {
  // Building it takes longer than using it, and a reload has the same asset as a rule.
  if (latest?.asset !== asset) latest = { asset, schema: buildSchema(asset) };
  return latest.schema;
}

function buildSchema(asset: string) {
  return z
    .strictObject({
      ...MACHINE,
      asset: z
        .string()
        .regex(ASSET, { error: 'expected the code of a currency, such as USD' })
        .prefault(DEFAULT_ASSET)
        .describe('Currency of every price and balance.'),
      log: logSchema.prefault({}).describe('What is written down.'),
      retry_storm_per_minute: wholeNumber({ min: 0, max: 1_000_000 })
        .prefault(2000)
        .describe(
          'Repeats after a 402, per key and cause, before 429 PAYMENT_RETRY_STORM; 0 = never.',
        ),
      upstreams: z
        .record(idName, upstreamSchema)
        .prefault({})
        .describe('Servers behind the gateway.'),
      providers: z.record(idName, providerSchema).prefault({}).describe('Servers of AI models.'),
      models: z
        .record(modelName, modelSchema(asset))
        .prefault({})
        .describe('Models for sale, by the name callers use.'),
      aliases: z.record(modelName, aliasSchema).prefault({}).describe('Other names of models.'),
      apis: z.record(idName, apiSchema(asset)).prefault({}).describe('What callers can call.'),
      plans: z
        .record(idName, planSchema(asset))
        .prefault({})
        .describe('What customers subscribe to.'),
      add_ons: z
        .record(idName, addOnSchema(asset))
        .prefault({})
        .describe('What customers buy beside a plan.'),
      limits: listOf(houseLimitSchema(asset), LIMITS_MAX)
        .superRefine(UNIQUE_LIMITS)
        .describe('Limits of the provider itself, over all callers together.'),
      enforcement: enforcement
        .prefault('enforce')
        .describe(
          'For APIs that set none. observe: what would be refused passes, and is recorded.',
        ),
      durability: durability
        .prefault('journal')
        .describe(
          'What a charge outlives before its answer leaves, for APIs and models that say nothing. journal: the process. journal-fsync: the power. commit-before-serve: the machine.',
        ),
      customise: customisations.describe('Words, links, fields and brand of refusals.'),
      packs: z.record(idName, packSchema(asset)).prefault({}).describe('Prepaid credit on sale.'),
      demo: demoSchema(asset),
    })
    .meta({
      title: 'Tollkeeper configuration',
      description: 'What a Tollkeeper gateway sells, to whom, and where it forwards to.',
    });
}

function demoSchema(asset: string) {
  return z
    .strictObject({
      customer: z
        .strictObject({
          name: title.prefault('Demo').describe('What people call it.'),
          plan: idName.describe('A name under "plans".'),
        })
        .describe('Who calls.'),
      credit: amount(asset).describe('Play money the demo customer starts with.'),
    })
    .optional()
    .describe('The customer that `tollkeeper dev` makes. Nothing else uses it.');
}

export type ConfigFile = z.output<ReturnType<typeof configSchema>>;
export type ApiEntry = ConfigFile['apis'][string];
export type RouteEntry = NonNullable<ApiEntry['routes']>[number];
export type PlanEntry = ConfigFile['plans'][string];
export type AddOnEntry = ConfigFile['add_ons'][string];
export type UpstreamEntry = ConfigFile['upstreams'][string];
export type ProviderEntry = ConfigFile['providers'][string];
