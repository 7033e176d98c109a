import { z } from 'zod';
import {
  durability,
  duration,
  headerValue,
  headerValues,
  idName,
  modelName,
  targetUrl,
  wholeNumber,
} from './parts.ts';
import { modelPrice } from './price-schema.ts';

const target = z.union(
  [
    targetUrl,
    z.strictObject({
      url: targetUrl.describe('http://host:port, with a base path if there is one.'),
      weight: wholeNumber({ min: 0, max: 1000 })
        .prefault(1)
        .describe('Share of the traffic, in proportion to the others; 0 takes it out.'),
    }),
  ],
  { error: 'expected a URL or { url: ..., weight: ... }' },
);

const health = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[\u0021-\u007e]*$/, { error: 'expected a path such as "/healthz"' })
      .optional()
      .describe('Asked every interval; without it only failed requests tell.'),
    interval: duration({ min: '100ms', max: '1h' })
      .prefault('5s')
      .describe('Time between two probes.'),
    timeout: duration({ min: '10ms', max: '1m' })
      .prefault('2s')
      .describe('Longest wait for a probe.'),
    unhealthy_after: wholeNumber({ min: 1, max: 100 })
      .prefault(2)
      .describe('Failures in a row before a target gets no traffic.'),
    healthy_after: wholeNumber({ min: 1, max: 100 })
      .prefault(1)
      .describe('Good probes in a row before it gets traffic again.'),
  })
  .prefault({})
  .describe('How a target is found to be up or down.');

const targets = z.array(target).min(1).max(64);
type Targets = z.output<typeof targets>;

const credentials = headerValues
  .prefault({})
  .describe('Headers sent to the upstream and shown to nobody, such as authorization.');

export const upstreamSchema = z
  .strictObject({
    url: targetUrl.optional().describe('The one target: http://host:port'),
    targets: targets.optional().describe('Several targets, tried by weight and health.'),
    health,
    credentials,
  })
  .superRefine((upstream, context) => {
    for (const message of targetMistakes(upstream.url, upstream.targets, 'url')) {
      context.addIssue({ code: 'custom', ...message });
    }
  });

export const providerSchema = z
  .strictObject({
    type: z
      .enum(['openai-compatible'])
      .prefault('openai-compatible')
      .describe('The format the models speak.'),
    base_url: targetUrl
      .optional()
      .describe('What an OpenAI client would be given: https://api.openai.com/v1'),
    targets: targets.optional().describe('Several base URLs, tried by weight and health.'),
    api_key: headerValue.min(1).optional().describe('Sent as "authorization: Bearer ...".'),
    health,
    credentials,
  })
  .superRefine((provider, context) => {
    for (const message of targetMistakes(provider.base_url, provider.targets, 'base_url')) {
      context.addIssue({ code: 'custom', ...message });
    }
    if (provider.api_key === undefined || provider.credentials['authorization'] === undefined)
      return;
    const message = 'cannot stand beside credentials.authorization: both are the same header';
    context.addIssue({ code: 'custom', path: ['api_key'], message });
  });

function targetMistakes(url: string | undefined, list: Targets | undefined, urlKey: string) {
  if (url === undefined && list === undefined)
    return [{ path: [], message: `needs "${urlKey}" or "targets"` }];
  if (list === undefined) return [];
  if (url !== undefined) {
    return [{ path: ['targets'], message: `cannot stand beside "${urlKey}": give one of the two` }];
  }
  const idle = list.every((entry) => typeof entry !== 'string' && entry.weight === 0);
  return idle ? [{ path: ['targets'], message: 'needs one target with a weight above 0' }] : [];
}

export function modelSchema(asset: string) {
  return z
    .strictObject({
      provider: idName.describe('A name under "providers".'),
      upstream_model: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe("The provider's own name of the model; default: the same name."),
      context_window: wholeNumber({ min: 1, max: 100_000_000 }).describe(
        'Most tokens of input and output.',
      ),
      max_output_tokens: wholeNumber({ min: 1, max: 100_000_000 })
        .optional()
        .describe('Most tokens of one answer; default: the context window.'),
      price: modelPrice(asset),
      durability: durability.optional().describe('Default: as the API it is called through.'),
    })
    .superRefine((model, context) => {
      const most = model.max_output_tokens ?? model.context_window;
      if (most <= model.context_window) return;
      const message = `is more than the context window of ${model.context_window}`;
      context.addIssue({ code: 'custom', path: ['max_output_tokens'], message });
    });
}

export const aliasSchema = modelName.describe('A name under "models".');
