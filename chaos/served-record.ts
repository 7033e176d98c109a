import { type ChatCall, ChatConnections, type ChatOutcome } from './chat-call.ts';

/** A call that its caller left: it was sent at least what was seen, and maybe more. */
export interface LeftCall {
  /** Undefined = the call had no id. */
  readonly id: string | undefined;
  readonly seen: number;
}

/** The request header that tells the upstream which call it answers. */
export const CALL_ID_HEADER = 'x-chaos-call';

/** Keeps what one client received, independently of everything the gateway writes down. */
export class ServedRecord {
  calls = 0;
  streams = 0;
  /** Answers of which at least a part was seen. */
  answers = 0;
  units = 0;
  inFlight = 0;
  /** Calls by the status of their answer; 0 = none. */
  readonly statuses = new Map<number, number>();
  readonly left: LeftCall[] = [];
  /** Units that calls which were left may have been charged beyond what was seen. */
  unitsLeftMost = 0;
  readonly #connections = new ChatConnections();

  async call(call: ChatCall): Promise<ChatOutcome> {
    this.inFlight += 1;
    this.calls += 1;
    if (call.stream) this.streams += 1;
    const outcome = await this.#connections.call(call);
    this.inFlight -= 1;
    this.#note(call, outcome);
    return outcome;
  }

  /** Calls that ended with one of these statuses. */
  countOf(isCounted: (status: number) => boolean): number {
    let count = 0;
    for (const [status, calls] of this.statuses) if (isCounted(status)) count += calls;
    return count;
  }

  close(): void {
    this.#connections.close();
  }

  #note(call: ChatCall, { status, units, ended }: ChatOutcome): void {
    if (ended === 'left') {
      this.left.push({ id: call.headers?.[CALL_ID_HEADER], seen: units });
      this.unitsLeftMost += call.units - units;
    }
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status !== 200 || (units === 0 && ended !== 'complete')) return;
    this.answers += 1;
    this.units += units;
  }
}
