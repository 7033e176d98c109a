import { drivePaced } from '../drive-paced.ts';
import { measure } from '../measure.ts';
import { readNumber, type Scenario, summariseRow } from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startUpstream } from '../start-nginx-subjects.ts';
import type { Subject } from '../subject.ts';

const ONE = '1 worker';
const TWO = '2 workers';
const PER_SECOND = 4000;
/** Issue "Part 3" show 3. */
const CPU_RATIO_MOST = 1.15;

export const workers: Scenario = {
  name: 'workers',
  title: '1 and 2 workers at the same offered load',
  about: `Everything on, as in the first table, ${PER_SECOND.toLocaleString('en-US')} requests a second over 64 connections however fast they are answered. CPU a request
is that of all workers together; they share the gateway's core.`,
  short: { rounds: 3, seconds: 4, warmUpSeconds: 6 },
  full: { rounds: 5, seconds: 8, warmUpSeconds: 10 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const subjects: Subject[] = [];
    for (const [index, name] of [ONE, TWO].entries()) {
      subjects.push(setting.keep(await startCharged(start, name, { workers: index + 1 })));
    }
    const samples = await measure(subjects, setting, setting.tell, {
      drive: ({ target }, seconds) => drivePaced(target, { perSecond: PER_SECOND, seconds }),
    });
    return [ONE, TWO].map((name) => summariseRow(samples, name));
  },
  conclude: (rows) => {
    const ratio =
      readNumber(rows, TWO, 'cpu_us_per_request') / readNumber(rows, ONE, 'cpu_us_per_request');
    return [
      {
        text: `two workers use ${ratio.toFixed(2)} times the CPU a request of one (wanted: ${CPU_RATIO_MOST} at most)`,
        met: ratio <= CPU_RATIO_MOST,
      },
    ];
  },
};
