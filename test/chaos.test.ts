import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { compare } from '../chaos/compare.ts';
import { planFaults } from '../chaos/faults.ts';
import { MODEL } from '../chaos/customer.ts';
import { findProblems } from '../chaos/judge.ts';
import { parseOptions } from '../chaos/options.ts';
import { type ChaosReport, renderReport, type TargetReport } from '../chaos/report.ts';
import { seededRandom } from '../chaos/seeded-random.ts';
import { ServedRecord } from '../chaos/served-record.ts';
import { startUnitsModel } from '../chaos/units-model.ts';
import { ChildProgram } from './support/child-program.ts';
import { startGateway } from './support/start-gateway.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { renderUnitsConfig } from './support/units-config.ts';
import { waitFor } from './support/wait-for.ts';

const root = resolve(import.meta.dirname, '..');
const NO_JOURNAL = `--import ${new URL('support/no-journal.mjs', import.meta.url).href}`;

function startChaos(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): ChildProgram {
  const program = new ChildProgram({
    command: process.execPath,
    args: ['--import', './tools/typescript.mjs', 'chaos/main.ts', ...args],
    cwd: root,
    env,
  });
  onTestFinished(async () => {
    await program.stop('SIGINT');
  });
  return program;
}

async function runChaos<Report>(args: readonly string[], env?: Readonly<Record<string, string>>) {
  const program = startChaos([...args, '--json'], env);
  const { code } = await program.exited;
  const { stdout, stderr } = program;
  if (stdout === '') throw new Error(`it reported nothing: ${stderr}`);
  return { code, stderr, report: JSON.parse(stdout) as Report };
}

describe('gateways on one store under fire', { timeout: 300_000 }, () => {
  it('I1..I10: nothing is overspent, served uncharged or left reserved, and all of the money is sold', async () => {
    const { code, stderr, report } = await runChaos<ChaosReport>(['--quick', '--seconds', '240']);
    console.log(renderReport(report));
    expect({ code, stderr }).toEqual({ code: 0, stderr: `seed ${report.seed}\n` });
    expect(report).toMatchObject({
      gateways: 4,
      durability: 'journal',
      charged_units: report.budget_units,
      overspent: 0,
      served_uncharged: 0,
      unsold_units: 0,
      refused_early: 0,
      unexpected: 0,
      invariants_broken: 0,
      violations: [],
      pauses: 3,
      store_restarts: 1,
    });
    // The store restart kills a whole gateway too.
    expect(report.kills).toBe(7);
    expect(report.in_flight_least).toBeGreaterThanOrEqual(64);
    expect(report.charged_unserved).toBeLessThanOrEqual(report.charged_unserved_most);
    expect(report.reserved_back_ms).toBeLessThanOrEqual(5000);
    expect(report.streamed * 3).toBeGreaterThanOrEqual(report.requests);
    expect(report.left).toBeGreaterThan(0);
    const unbroken = report.invariants.filter(({ state }) => state === 'holds');
    expect(unbroken.map(({ name }) => name)).toEqual([
      'I1',
      'I2',
      'I3',
      'I4',
      'I5',
      'I6',
      'I8',
      'I9',
      'I10',
    ]);
  });

  it('sees what a gateway without a journal loses, and fails', async () => {
    const size = ['--units', '20000', '--gateways', '2', '--in-flight', '32', '--kills', '3'];
    const faults = ['--pauses', '0', '--store-restarts', '0', '--seconds', '240'];
    const { code, stderr, report } = await runChaos<ChaosReport>([...size, ...faults], {
      NODE_OPTIONS: NO_JOURNAL,
    });
    const { served_uncharged: uncharged, overspent } = report;
    console.log({ served_uncharged: uncharged, overspent });
    expect(code).toBe(1);
    expect(uncharged).toBeGreaterThan(0);
    expect(report.invariants.find(({ name }) => name === 'I5')?.state).toBe('broken');
    expect(stderr).toContain(`FAILED: ${uncharged} units were served uncharged`);
  });

  it('DESIGN 10, issue 4 show 4: with the store away traffic goes on from leases, then 503, never 402; afterwards all is charged', async () => {
    const size = ['--units', '10000', '--gateways', '2', '--in-flight', '32', '--seconds', '240'];
    const { code, stderr, report } = await runChaos<ChaosReport>(['--outage', '5', ...size]);
    console.log(renderReport(report));
    expect({ code, stderr }).toEqual({ code: 0, stderr: `seed ${report.seed}\n` });
    expect(report).toMatchObject({
      kills: 0,
      charged_units: report.budget_units,
      overspent: 0,
      served_uncharged: 0,
      charged_unserved: 0,
      refused_early: 0,
      invariants_broken: 0,
    });
    expect(report.outage?.codes['503 BILLING_UNAVAILABLE']).toBeGreaterThan(0);
    expect(report.outage).toMatchObject({ refused: 0, no_answer: 0 });
    expect(report.outage?.served_units).toBeGreaterThan(0);
    expect(report.reserved_back_ms).toBeLessThanOrEqual(5000);
  });

  it('ends every process and removes every file when it is told to stop', async () => {
    const directory = temporaryDirectory('chaos-stopped');
    const program = startChaos(['--quick', '--verbose'], { TMPDIR: directory });
    await waitFor(() => program.stderr.includes('1/'), { timeoutMs: 60_000, what: 'a fault' });
    const { code } = await program.stop('SIGINT');
    expect(code).toBe(1);
    expect(program.stderr).toContain('stopped by SIGINT');
    const left = readdirSync(directory).filter((name) => name.startsWith('tollkeeper-'));
    expect(left).toEqual([]);
    await waitFor(() => listProcessesWith(directory).length === 0, {
      timeoutMs: 5000,
      what: 'every process to be gone',
    });
  });
});

describe('--target', () => {
  const target = (url: string, key: string, budget: number) =>
    ['--target', url, '--key', key, '--model', MODEL, '--budget', String(budget)] as const;

  it('a gateway that holds its budget passes; what only its books know is unknown', async () => {
    const model = await startUnitsModel(0);
    onTestFinished(() => model.close());
    const terms = { credit: '0.003', settings: 'retry_storm_per_minute: 0' };
    const config = renderUnitsConfig(model.origin, terms);
    const gateway = await startGateway({ config });
    onTestFinished(async () => {
      await gateway.stop();
    });
    const { code, report } = await runChaos<TargetReport>(
      target(`${gateway.gateway}/v1`, gateway.key, 3000),
    );
    expect(code).toBe(0);
    expect(report).toMatchObject({ overspent: 0, sold_out: true, budget_units: 3000 });
    expect(report).toMatchObject({ served_uncharged: null, charged_unserved: null, kills: null });
    expect(report).toMatchObject({ invariants_broken: null });
    expect(report.served_units).toBeGreaterThan(2000);
  });

  it('one that holds none fails', async () => {
    const model = await startUnitsModel(0);
    onTestFinished(() => model.close());
    const { code, stderr, report } = await runChaos<TargetReport>(
      target(`${model.origin}/v1`, 'any', 1000),
    );
    expect(code).toBe(1);
    expect(report.sold_out).toBe(false);
    expect(report.overspent).toBeGreaterThanOrEqual(1000);
    expect(stderr).toContain(`FAILED: ${report.overspent} units were served beyond the budget`);
  });
});

describe('what it compares', () => {
  const away = {
    seconds: 5,
    served_answers: 10,
    served_units: 100,
    refused: 0,
    no_answer: 0,
    codes: { '503 BILLING_UNAVAILABLE': 20 },
    longest_ms: 1100,
    recovered_ms: 30,
  };
  const client = (id: string, served: { answers: number; units: number }) => {
    const record = Object.assign(new ServedRecord(), served);
    onTestFinished(() => record.close());
    return { id, key: id, record, leaves: false };
  };
  const books = (charged: Readonly<Record<string, { answers: number; units: number }>>) => ({
    granted: 100,
    spent: 100,
    reserved: 0,
    keys: new Map(Object.entries(charged)),
  });

  it('client by client: what one was not charged does not hide behind another', () => {
    const clients = [
      client('a', { answers: 2, units: 20 }),
      client('b', { answers: 2, units: 20 }),
    ];
    const charged = { a: { answers: 1, units: 12 }, b: { answers: 3, units: 28 } };
    expect(compare(clients, books(charged), () => 0)).toMatchObject({
      servedUnits: 40,
      chargedUnits: 40,
      unchargedAnswers: 1,
      unchargedUnits: 8,
      unservedAnswers: 1,
      unservedUnits: 8,
    });
  });

  it('a stream that its caller left may be charged from what was seen to what was sent', () => {
    const left = client('a', { answers: 1, units: 3 });
    left.record.left.push({ id: '7', seen: 3 });
    const sentFor = (callId: string): number => (callId === '7' ? 9 : 0);
    const check = (units: number) => compare([left], books({ a: { answers: 1, units } }), sentFor);
    expect(check(2)).toMatchObject({ unchargedUnits: 1, unservedUnits: 0 });
    expect(check(3)).toMatchObject({ unchargedUnits: 0, unservedUnits: 0 });
    expect(check(9)).toMatchObject({ unchargedUnits: 0, unservedUnits: 0 });
    expect(check(10)).toMatchObject({ unchargedUnits: 0, unservedUnits: 1 });
  });

  it.each([
    [{ overspent: 1 }, '1 units were served beyond the budget'],
    [{ served_uncharged: 2 }, '2 units were served uncharged'],
    [{ charged_unserved: 3 }, '3 answers were charged unserved, more than 2'],
    [{ refused_early: 4 }, '4 calls were refused that there was money for'],
    [{ unexpected: 5 }, '5 answers had a status that no fault explains'],
    [{ unsold_units: 6 }, 'one unit was refused while 6 were left'],
    [{ invariants_broken: 7 }, '7 invariants are broken'],
    [{ kills: 8 }, 'only 8 of 40 kills were made'],
    [{ in_flight_least: 9 }, 'at a kill only 9 calls were in flight, not 64'],
    [{ outage: { ...away, refused: 1 } }, '1 calls got a 402 because the store was away'],
    [
      { outage: { ...away, served_answers: 0 } },
      'nothing was served from leases while the store was away',
    ],
    [{ outage: { ...away, codes: {} } }, 'nobody was told that the store was away'],
    [
      { outage: { ...away, codes: { ...away.codes, '500 INTERNAL_ERROR': 2 } } },
      'while the store was away calls were answered with 500 INTERNAL_ERROR',
    ],
    [{ outage: { ...away, no_answer: 3 } }, '3 calls got no answer while the store was away'],
  ])('%o is no proof', (change, problem) => {
    const sound = {
      overspent: 0,
      served_uncharged: 0,
      charged_unserved: 2,
      charged_unserved_most: 2,
      refused_early: 0,
      unexpected: 0,
      unsold_units: 0,
      invariants_broken: 0,
      kills: 40,
      in_flight_least: 64,
      outage: away,
    };
    const planned = { kills: 40, inFlightLeast: 64 };
    expect(findProblems(sound, planned)).toEqual([]);
    expect(findProblems({ ...sound, ...change }, planned)).toEqual([problem]);
  });
});

it('the same seed gives the same plan of faults, of every kind', () => {
  const counts = { kills: 40, pauses: 20, storeRestarts: 5 };
  const plan = planFaults(counts, seededRandom(7));
  expect(planFaults(counts, seededRandom(7))).toEqual(plan);
  expect(planFaults(counts, seededRandom(8))).not.toEqual(plan);
  const kinds = new Set(
    plan.map((fault) => ('what' in fault ? `${fault.kind} ${fault.what}` : '')),
  );
  expect(kinds.size).toBe(6);
  expect(plan).toHaveLength(65);
});

it.each([
  [['--kills', 'many'], '--kills must be a whole number from 0 to 1000, got "many"'],
  [['--units', '10'], '--units must be a whole number from 1000 to 100000000, got "10"'],
  [
    ['--durability', 'fsync'],
    '--durability must be one of journal, journal-fsync, commit-before-serve, got "fsync"',
  ],
  [['--store', 'mysql'], '--store must be one of sqlite, postgres, got "mysql"'],
  [['--target', 'http://a', '--durability', 'journal'], '--durability does not go with --target'],
  [['--outage', '0'], '--outage must be a whole number from 1 to 3600, got "0"'],
  [['--outage', '5', '--kills', '1'], '--kills does not go with --outage'],
  [['--outage', '5', '--quick'], '--quick does not go with --outage'],
  [['--budget', '10'], '--budget goes with --target'],
  [['--target', 'localhost'], '--target must be an address like http://127.0.0.1:4000/v1'],
  [['--target', 'http://a', '--key', 'k'], '--target needs --key, --model and --budget beside it'],
  [['--target', 'http://a', '--kills', '1'], '--kills does not go with --target'],
])('refuses %j and says what it takes', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});

/** Processes that were started with this text in their environment, by their ids. */
function listProcessesWith(text: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
    } catch {
      return false; // It ended meanwhile, or is somebody else's.
    }
  });
}
