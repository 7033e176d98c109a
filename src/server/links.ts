import { signExplainLink, signPayLink } from '../control/public/signed-links.ts';
import { BoundedMap } from '../domain/bounded-map.ts';
import type { Links } from '../gateway/pipeline/context.ts';

const REMEMBERED_MAX = 10_000;

export interface SignedLinks extends Links {
  explainLink(requestId: string): string;
}

/** The signed links a refusal carries. A pay link is the same for a tenant and cause, so it is made once. */
export function createLinks(secret: Uint8Array, publicUrl: () => string): SignedLinks {
  const tokens = new BoundedMap<string, string>(REMEMBERED_MAX);
  return {
    payLink: (tenantId, cause) => {
      const id = `${tenantId} ${cause}`;
      let token = tokens.get(id);
      if (token === undefined) {
        token = signPayLink({ tenantId, cause }, secret);
        tokens.set(id, token);
      }
      return `${publicUrl()}/pay/${token}`;
    },
    explainLink: (requestId) =>
      `${publicUrl()}/r/${requestId}?s=${signExplainLink(requestId, secret)}`,
  };
}
