import type { Command } from 'commander';

import type { CommandIo } from './command-outcome.ts';
import { registerCreditCommands } from './credit-commands.ts';
import { registerCustomerCommands } from './customer-commands.ts';
import { registerExplainCommand } from './explain-command.ts';
import { registerKeyCommands } from './key-commands.ts';
import { registerOwnerCommands } from './owner-commands.ts';
import { registerReportCommands } from './report-commands.ts';

/** Every command that talks to the admin API of a running gateway. */
export function registerClientCommands(program: Command, io: CommandIo): void {
  registerCustomerCommands(program, io);
  registerKeyCommands(program, io);
  registerCreditCommands(program, io);
  registerExplainCommand(program, io);
  registerReportCommands(program, io);
  registerOwnerCommands(program, io);
}
