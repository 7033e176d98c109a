import { describeUpstreamClient } from '../upstream.conformance.ts';
import { createUndiciClient } from './undici-client.ts';

describeUpstreamClient('undici', createUndiciClient);
