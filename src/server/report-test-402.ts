import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  reportOutcome,
} from '../cli/command-outcome.ts';
import { formatTable } from '../cli/format-table.ts';
import { type ConfigFlags, loadOrTell } from './choose-config.ts';
import { runTest402, type TrialResult } from './test-402/run-test-402.ts';

/** `tollkeeper test-402`. */
export async function reportTest402(
  flags: ConfigFlags & { readonly api?: string; readonly path?: string },
  io: CommandIo,
): Promise<void> {
  const config = loadOrTell(flags, io);
  if (config === undefined) return;
  const results = await runTest402(config, { api: flags.api, path: flags.path });
  reportOutcome(describeTrials(results, flags.api, io.color), io, flags.json === true);
}

function describeTrials(
  results: readonly TrialResult[],
  api: string | undefined,
  color: boolean,
): CommandOutcome {
  if (results.length === 0) {
    const which = api === undefined ? 'no API' : `no API "${api}"`;
    const message = `${which} with a route that can be tried: name a path with --path, or check the id`;
    return { kind: 'failed', exitCode: EXIT.configuration, code: 'NOTHING_TO_TEST', message };
  }
  const failed = results.filter(({ ok }) => !ok).length;
  const table = formatTable(
    results,
    [
      { title: 'RESULT', value: ({ ok }) => (ok ? 'pass' : 'FAIL') },
      { title: 'ROUTE', value: ({ route }) => route },
      { title: 'PLAN', value: ({ plan }) => plan },
      { title: 'SCENARIO', value: ({ scenario }) => scenario },
      { title: 'EXPECTED', value: ({ expected }) => expected },
      { title: 'ANSWERED', value: ({ answered }) => answered },
      { title: 'PROBLEM', value: ({ problem }) => problem },
    ],
    color,
  );
  return {
    kind: 'done',
    json: { ok: failed === 0, passed: results.length - failed, failed, results },
    text: `${table}\n${results.length - failed} passed, ${failed} failed`,
    exitCode: failed === 0 ? EXIT.ok : EXIT.failed,
  };
}
