import { describeListener } from '../listener.conformance.ts';
import { createNodeHttpListener } from './node-http-listener.ts';

describeListener('node-http', createNodeHttpListener);
