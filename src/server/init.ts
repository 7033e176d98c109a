import { existsSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

import * as prompts from '@clack/prompts';

import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  type Failure,
  reportOutcome,
} from '../cli/command-outcome.ts';
import {
  type InitAnswers,
  writeInitEnvironment,
  writeInitTemplate,
} from './config/init-template.ts';
import { loadConfig } from './config/load-config.ts';

export interface InitFlags {
  readonly sells?: string;
  readonly upstream?: string;
  readonly price?: string;
  readonly modelBaseUrl?: string;
  readonly model?: string;
  readonly file?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Answers and where they go. */
export interface InitPlan {
  readonly answers: InitAnswers;
  readonly file: string;
  readonly force: boolean;
}

export interface FileAccess {
  readonly exists: (path: string) => boolean;
  readonly write: (path: string, text: string) => void;
}

/** Where answers are typed. */
type Terminal = Readable & { readonly isTTY?: boolean };

/** Ctrl-C at a question: what was answered before it is not what somebody wants. */
const GIVEN_UP: Failure = {
  kind: 'failed',
  exitCode: EXIT.failed,
  code: 'GIVEN_UP',
  message: 'given up: nothing is written',
};
/** The schema as it lies in an installed package: editors then work offline. */
const SCHEMA_URL = './node_modules/tollkeeper/schema/tollkeeper.schema.json';
const DEFAULT_FILE = 'tollkeeper.yaml';

/** `tollkeeper init`. */
export async function runInit(flags: InitFlags, io: CommandIo): Promise<void> {
  const asked = await askInit(flags);
  const files = { exists: existsSync, write: writeFileSync };
  const outcome = 'kind' in asked ? asked : writeInitFiles(asked, files);
  reportOutcome(outcome, io, flags.json === true);
}

/** Takes the answers from flags and, on a terminal, from the person; or says why there are none. */
export async function askInit(
  flags: InitFlags,
  input: Terminal = process.stdin,
): Promise<InitPlan | Failure> {
  const silent = flags.yes === true || flags.json === true;
  if (!silent && !input.isTTY) {
    return mistake(
      'there is no terminal to ask on: add --yes, and --sells, --upstream, --price as you need',
    );
  }
  const sells = flags.sells ?? (silent ? 'both' : await choose(input));
  if (sells === undefined) return GIVEN_UP;
  if (!isSells(sells)) return mistake(`--sells is ${sells}: write api, llm or both`);
  const asked = silent || sells === 'llm' ? {} : await askApi(flags, input);
  return asked === undefined ? GIVEN_UP : planOf(sells, { ...flags, ...asked });
}

function planOf(sells: InitAnswers['sells'], flags: InitFlags): InitPlan {
  const { upstream: upstreamUrl, price: pricePerRequest, modelBaseUrl, model } = flags;
  return {
    answers: { sells, upstreamUrl, pricePerRequest, modelBaseUrl, model, schemaUrl: SCHEMA_URL },
    file: flags.file ?? DEFAULT_FILE,
    force: flags.force === true,
  };
}

function mistake(message: string): Failure {
  return { kind: 'failed', exitCode: EXIT.usage, code: 'BAD_USAGE', message };
}

function isSells(text: string): text is InitAnswers['sells'] {
  return text === 'api' || text === 'llm' || text === 'both';
}

/** Only what no flag has answered is asked; undefined = given up. */
async function askApi(
  flags: InitFlags,
  input: Readable,
): Promise<{ readonly upstream: string; readonly price: string } | undefined> {
  const upstream = flags.upstream ?? (await askText(UPSTREAM_QUESTION, input));
  if (upstream === undefined) return undefined;
  const price = flags.price ?? (await askText(PRICE_QUESTION, input));
  return price === undefined ? undefined : { upstream, price };
}

/** Writes the configuration and `.env.example`; never over a file that is there, unless forced. */
export function writeInitFiles(plan: InitPlan, files: FileAccess): CommandOutcome {
  if (files.exists(plan.file) && !plan.force) {
    return {
      kind: 'failed',
      exitCode: EXIT.failed,
      code: 'FILE_EXISTS',
      message: `${plan.file} is there already: --force overwrites it, --file writes elsewhere`,
    };
  }
  const text = writeInitTemplate(plan.answers);
  const refusal = refuseAnswers(text, plan.file);
  if (refusal !== undefined) return refusal;
  const written = [plan.file];
  try {
    files.write(plan.file, text);
    if (!files.exists('.env.example')) {
      files.write('.env.example', writeInitEnvironment(plan.answers));
      written.push('.env.example');
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${plan.file} cannot be written (${reason}): --file writes elsewhere`;
    return { kind: 'failed', exitCode: EXIT.failed, code: 'CANNOT_WRITE', message };
  }
  return {
    kind: 'done',
    json: { written },
    text: `wrote ${written.join(' and ')}`,
    hint: `next: ${plan.answers.sells === 'api' ? '' : 'set OPENAI_API_KEY (.env.example says how), then '}npx tollkeeper check, then npx tollkeeper up`,
  };
}

/** The template loads as it is: what does not is an answer, and nothing is written that would not start. */
function refuseAnswers(text: string, file: string): Failure | undefined {
  const loaded = loadConfig({ text, file }, { env: { OPENAI_API_KEY: 'given later' } });
  if (loaded.kind === 'ok') return undefined;
  const mistakes = loaded.problems.map(({ path, message }) => `${path}: ${message}`);
  return mistake(`nothing is written, because it would not start: ${mistakes.join('; ')}`);
}

async function choose(input: Readable): Promise<string | undefined> {
  const answer = await prompts.select({
    input,
    message: 'What do you sell?',
    options: [
      { value: 'both', label: 'An API and AI models' },
      { value: 'api', label: 'An API' },
      { value: 'llm', label: 'AI models' },
    ],
  });
  return prompts.isCancel(answer) ? undefined : answer;
}

const UPSTREAM_QUESTION = { message: 'Where is the API?', placeholder: 'http://127.0.0.1:9000' };
const PRICE_QUESTION = { message: 'Price of one call?', placeholder: '0.001 USD' };

async function askText(
  question: typeof PRICE_QUESTION,
  input: Readable,
): Promise<string | undefined> {
  const answer = await prompts.text({ ...question, input, defaultValue: question.placeholder });
  return prompts.isCancel(answer) ? undefined : answer;
}
