import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { NodeExchange } from './node-exchange.ts';

/** Node's request and response with room for ours, so that shared listeners find it without a closure. */
export class ExchangeIncoming extends IncomingMessage {
  exchange: NodeExchange | undefined = undefined;
}
export class ExchangeOutgoing extends ServerResponse<ExchangeIncoming> {
  exchange: NodeExchange | undefined = undefined;
}

const IPV4_MAPPED = '::ffff:';

/** One client connection: requests on it are handed over one after the other, in order. */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** Accepted beyond `connectionsMax`, only to be told so. */
  readonly overCapacity: boolean;
  active: NodeExchange | undefined = undefined;
  /** Pipelined behind `active`; the socket is paused while there are any, so one read bounds them. */
  readonly waiting: NodeExchange[] = [];
  /** Nothing more is accepted on it. */
  closing = false;

  constructor(socket: Socket, secure: boolean, overCapacity: boolean) {
    const address = socket.remoteAddress ?? '';
    this.socket = socket;
    this.remoteAddress = address.startsWith(IPV4_MAPPED)
      ? address.slice(IPV4_MAPPED.length)
      : address;
    this.secure = secure;
    this.overCapacity = overCapacity;
  }
}
