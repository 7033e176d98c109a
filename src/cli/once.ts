import { randomUUID } from 'node:crypto';

import type { Command } from 'commander';

import { type AdminCall, type AdminOptions, callAdmin } from './admin-client.ts';
import { type Done, reportAnswer } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';

export interface OnceOptions extends AdminOptions {
  readonly idempotencyKey?: string;
}

export function addOnceOption(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'repeat with the same key to be sure it is done once',
  );
}

/** When the answer is lost the key is told: the same command with it does it once (BILL-13). */
export async function runOnce(
  call: Omit<AdminCall, 'idempotencyKey'>,
  options: OnceOptions,
  io: CommandIo,
  show: (json: unknown) => Done,
): Promise<void> {
  const idempotencyKey = options.idempotencyKey ?? randomUUID();
  const answer = await callAdmin({ ...call, idempotencyKey }, options, io);
  const lost = answer.kind === 'failed' && answer.code === 'BROKEN_ANSWER';
  const advice = `; repeat the command with --idempotency-key ${idempotencyKey} to be sure it is done once`;
  reportAnswer(lost ? { ...answer, message: answer.message + advice } : answer, options, io, show);
}
