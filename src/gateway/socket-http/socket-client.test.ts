import { describeUpstreamClient } from '../upstream.conformance.ts';
import { createSocketClient } from './socket-client.ts';

describeUpstreamClient('socket-http', createSocketClient);
