import type {
  UpstreamCall,
  UpstreamFailure,
  UpstreamReceiver,
  UpstreamRequest,
} from '../upstream.ts';
import type { Staged } from '../round.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { OutgoingRequest } from './upstream-request.ts';

/** RFC 9110 9.2.2: sending one of these twice does what sending it once does. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
]);

/** Where calls wait and connections come from. */
export interface CallHost {
  /** The call has ended, whichever way. */
  release(call: SocketCall): void;
  /** Sends the call once more, on a connection of its own. */
  sendAgain(call: SocketCall): void;
}

export type Timeouts = Pick<
  UpstreamRequest,
  'connectTimeoutMs' | 'headersTimeoutMs' | 'idleTimeoutMs'
>;

/** One call from its beginning to its one ending. */
export class SocketCall implements UpstreamCall, Staged {
  readonly request: OutgoingRequest;
  readonly receiver: UpstreamReceiver;
  readonly timeouts: Timeouts;
  /** It carries the call, or is being opened for it. */
  connection: UpstreamConnection | undefined = undefined;
  /** Any byte may have reached the upstream, or was taken from a body that cannot be read again. */
  sent = false;
  ended = false;
  /** It waits for a connection. */
  waiting = false;
  #host: CallHost | undefined;
  /** How the first attempt was lost, when there is a second. */
  #lost: { readonly kind: UpstreamFailure['kind']; readonly message: string } | undefined =
    undefined;

  constructor(
    request: OutgoingRequest,
    timeouts: Timeouts,
    receiver: UpstreamReceiver,
    host: CallHost | undefined,
  ) {
    this.request = request;
    this.timeouts = timeouts;
    this.receiver = receiver;
    this.#host = host;
  }

  resume(): void {
    if (!this.ended) this.connection?.resume();
  }

  abort(): void {
    if (this.ended) return;
    const { connection } = this;
    connection?.abandon();
    this.fail('aborted', 'aborted');
  }

  /**
   * The connection broke before a byte of the answer. `reused`: it had carried other calls, so the upstream may just
   * have grown tired of it. Such a call goes out once more if that can do no harm.
   */
  lose(kind: UpstreamFailure['kind'], message: string, reused: boolean): void {
    const { method, body } = this.request;
    const whole = body === undefined || Buffer.isBuffer(body);
    const harmless = whole && (!this.sent || IDEMPOTENT_METHODS.has(method));
    if (!reused || !harmless || this.#lost !== undefined || this.#host === undefined) {
      this.fail(kind, message);
      return;
    }
    this.#lost = { kind, message };
    this.connection = undefined;
    this.#host.sendAgain(this);
  }

  fail(kind: UpstreamFailure['kind'], message: string): void {
    if (!this.#end()) return;
    // A second attempt that found nobody does not undo what the first may have done.
    const first = kind === 'connect' && this.sent ? this.#lost : undefined;
    this.receiver.onFailure({ ...(first ?? { kind, message }), sent: this.sent });
  }

  /** The answer is whole. */
  proceed(): void {
    if (this.#end()) this.receiver.onEnd();
  }

  #end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.connection = undefined;
    this.#host?.release(this);
    this.#host = undefined;
    return true;
  }
}
