import { describeListener } from '../listener.conformance.ts';
import { createSocketListener } from './socket-listener.ts';

describeListener('socket-http', createSocketListener);
