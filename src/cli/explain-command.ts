import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readText } from './answer-shapes.ts';
import { describeClientCommand, runCall } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatFields } from './format-table.ts';

export function registerExplainCommand(program: Command, io: CommandIo): void {
  describeClientCommand(
    program.command('explain <request-id>').description('why a request was answered as it was'),
    ['explain req_0199...', 'explain req_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall(
      { method: 'GET', path: `/admin/requests/${encodeURIComponent(id)}` },
      options,
      io,
      (json) => ({
        kind: 'done',
        json,
        text: showRequest(json),
      }),
    ),
  );
}

function showRequest(json: unknown): string {
  return formatFields([
    ['request', readText(json, 'request_id')],
    ['at', readText(json, 'at')],
    ['tenant', readText(json, 'tenant_id')],
    ['status', readText(json, 'status')],
    ['code', readText(json, 'code')],
  ]);
}
