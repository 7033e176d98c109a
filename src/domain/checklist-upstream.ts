import type { CheckItem, CheckSource } from './checklist.ts';
import type { Facts } from './facts.ts';

/** A provider behind the gateway, and where it says whether it is well. */
export interface ProviderLinks {
  readonly name: string;
  readonly statusUrl: string | undefined;
  readonly documentationUrl: string | undefined;
}

/** Step 6: whether the answer comes from the provider, which one, and where to look (DIAG-06). */
export function checkUpstream(source: CheckSource): readonly CheckItem[] {
  return [describeOrigin(source.facts), ...describeWords(source.facts), ...linksOf(source)];
}

function describeOrigin({ forwarding, outcome, reservation }: Facts): CheckItem {
  const target = outcome?.target ?? 'the upstream';
  const status = outcome?.upstreamStatus;
  if (forwarding !== undefined) {
    const said = status === undefined ? '' : `, which answered ${status}`;
    return { verdict: 'problem', text: `It failed at ${target}${said}: ${forwarding.problem}.` };
  }
  if (status !== undefined) {
    const verdict = status < 400 ? 'ok' : 'problem';
    return { verdict, text: `${target} answered ${status}.` };
  }
  return reservation?.kind === 'held' && outcome?.ending !== 'refused'
    ? { verdict: 'unknown', text: `It was sent to ${target}; no answer is recorded.` }
    : {
        verdict: 'ok',
        text: 'Nothing was sent to it: the gateway answered, the provider has no part in this.',
      };
}

/** What the provider said in its own words. */
function describeWords({ forwarding }: Facts): readonly CheckItem[] {
  const upstream = forwarding?.upstream;
  if (upstream === undefined) return [];
  const code = upstream.code === undefined ? '' : ` ${upstream.code}`;
  const message = upstream.message === undefined ? '' : `: ${upstream.message}`;
  return [{ verdict: 'note', text: `${upstream.provider} said${code}${message}` }];
}

function linksOf({ provider }: CheckSource): readonly CheckItem[] {
  if (provider === undefined) return [];
  const { name, statusUrl, documentationUrl } = provider;
  const status = statusUrl === undefined ? [] : [link(`${name} says how it is:`, statusUrl)];
  const documentation =
    documentationUrl === undefined ? [] : [link(`What errors of ${name} mean:`, documentationUrl)];
  return [...status, ...documentation];
}

function link(text: string, href: string): CheckItem {
  return { verdict: 'note', text, link: { href, label: href.replace(/^https?:\/\//, '') } };
}
