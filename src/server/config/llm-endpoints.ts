import type { EndpointClass, PathMatch, RouteKind } from '../../domain/catalog.ts';

interface LlmEndpoint {
  readonly name: string;
  readonly kind: RouteKind;
  readonly method: 'GET' | 'POST';
  readonly path: PathMatch;
  /** Looking at what is on sale is discovery: free, also for who has no credit left (GW-18). */
  readonly endpointClass: EndpointClass;
}

/** What an API of type llm answers, in the format of https://platform.openai.com/docs/api-reference (LLM-02). */
export const LLM_ENDPOINTS: readonly LlmEndpoint[] = [
  {
    name: 'chat',
    kind: 'chat',
    method: 'POST',
    path: { kind: 'exact', value: '/v1/chat/completions' },
    endpointClass: 'metered',
  },
  {
    name: 'embeddings',
    kind: 'embeddings',
    method: 'POST',
    path: { kind: 'exact', value: '/v1/embeddings' },
    endpointClass: 'metered',
  },
  {
    name: 'models',
    kind: 'models',
    method: 'GET',
    path: { kind: 'exact', value: '/v1/models' },
    endpointClass: 'free',
  },
  // One of them, by its name, which may have slashes.
  {
    name: 'model',
    kind: 'models',
    method: 'GET',
    path: { kind: 'prefix', value: '/v1/models' },
    endpointClass: 'free',
  },
];
