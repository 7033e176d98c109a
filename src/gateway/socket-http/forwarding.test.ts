import { describeForwarding } from '../forwarding.conformance.ts';

describeForwarding('sockets');
