import { findProblems } from './judge.ts';
import { type ChaosOptions, parseOptions, type TargetOptions, USAGE } from './options.ts';
import { renderReport, renderTarget } from './report.ts';
import { ChaosRun } from './run-chaos.ts';
import { runTarget } from './run-target.ts';
import { startUnitsModel } from './units-model.ts';

/** `npm run chaos`: gateways on one store under kills, pauses and store restarts, and whether their books still hold. */
const tell = (text: string): void => console.error(text);

const options = readOptions();
if (options?.kind === 'own') await runOwn(options);
else if (options?.kind === 'target') await runForeign(options);
else if (options !== undefined) {
  tell(`the model answers at ${(await startUnitsModel(options.port)).origin}/v1`);
}

function readOptions(): ReturnType<typeof parseOptions> | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    tell(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function runOwn(options: ChaosOptions): Promise<void> {
  const startedAt = performance.now();
  tell(`seed ${options.seed}`);
  const run = new ChaosRun(options, options.verbose ? tell : () => undefined);
  let givenUp = false;
  const giveUp = (why: string): void => {
    if (givenUp) return;
    givenUp = true;
    tell(`error: ${why}`);
    void run.stop().finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => giveUp(`stopped by ${signal}`));
  }
  process.once('exit', () => run.kill());
  const limit = setTimeout(
    () => giveUp(`not done after ${options.secondsMost} s: see --seconds`),
    options.secondsMost * 1000,
  );
  try {
    const found = await run.run();
    if (givenUp) return;
    const report = { ...found, seconds: (performance.now() - startedAt) / 1000 };
    console.log(options.json ? JSON.stringify(report) : renderReport(report));
    for (const problem of findProblems(found, options)) {
      tell(`FAILED: ${problem}`);
      process.exitCode = 1;
    }
  } catch (error) {
    giveUp(error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(limit);
    await run.stop();
  }
}

async function runForeign(options: TargetOptions): Promise<void> {
  const startedAt = performance.now();
  const found = await runTarget(options);
  const report = { ...found, seconds: (performance.now() - startedAt) / 1000 };
  console.log(options.json ? JSON.stringify(report) : renderTarget(report));
  const problems = [
    ...(report.overspent > 0 ? [`${report.overspent} units were served beyond the budget`] : []),
    ...(report.sold_out ? [] : ['it was never asked for more than it would sell']),
  ];
  for (const problem of problems) {
    tell(`FAILED: ${problem}`);
    process.exitCode = 1;
  }
}
