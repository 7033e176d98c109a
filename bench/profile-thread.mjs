// Preloaded into the gateways by `--profile DIR` (Node takes --import from NODE_OPTIONS, but not --cpu-prof):
// profiles each thread from its start to its end. Not TypeScript, because the gateways run without a loader.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const INTERVAL_MICROSECONDS = 500;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS });
session.post('Profiler.start');
process.once('exit', () => {
  // Within one process the answer comes before post returns.
  session.post('Profiler.stop', (error, answer) => {
    if (error !== null) throw new Error('the profile could not be taken', { cause: error });
    const file = `${process.pid}-${threadId}.cpuprofile`;
    writeFileSync(join(process.env.TOLLKEEPER_BENCH_PROFILE, file), JSON.stringify(answer.profile));
  });
});
