import { existsSync, writeFileSync } from 'node:fs';

import * as prompts from '@clack/prompts';

import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  reportOutcome,
} from '../cli/command-outcome.ts';
import {
  type InitAnswers,
  writeInitEnvironment,
  writeInitTemplate,
} from './config/init-template.ts';

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

/** The schema as it lies in an installed package: editors then work offline. */
const SCHEMA_URL = './node_modules/tollkeeper/schema/tollkeeper.schema.json';
const DEFAULT_FILE = 'tollkeeper.yaml';

/** `tollkeeper init`. */
export async function runInit(flags: InitFlags, io: CommandIo): Promise<void> {
  const asked = await askInit(flags, io);
  if (asked === undefined) {
    io.exit(EXIT.failed);
    return;
  }
  const outcome = writeInitFiles(asked, { exists: existsSync, write: writeFileSync });
  reportOutcome(outcome, io, flags.json === true);
}

/** Takes the answers from flags and, on a terminal, from the person; undefined = given up or wrong, and said why. */
export async function askInit(flags: InitFlags, io: CommandIo): Promise<InitPlan | undefined> {
  const silent = flags.yes === true || flags.json === true;
  if (!silent && !process.stdin.isTTY) {
    io.talk(
      'error: there is no terminal to ask on: add --yes, and --sells, --upstream, --price as you need',
    );
    return undefined;
  }
  const sells = flags.sells ?? (silent ? 'both' : await choose());
  if (!isSells(sells)) {
    io.talk(`error: --sells is ${String(sells)}: write api, llm or both`);
    return undefined;
  }
  const asked = silent || sells === 'llm' ? {} : await askApi(flags);
  const {
    upstream: upstreamUrl,
    price: pricePerRequest,
    modelBaseUrl,
    model,
  } = { ...flags, ...asked };
  return {
    answers: { sells, upstreamUrl, pricePerRequest, modelBaseUrl, model, schemaUrl: SCHEMA_URL },
    file: flags.file ?? DEFAULT_FILE,
    force: flags.force === true,
  };
}

function isSells(text: string | undefined): text is InitAnswers['sells'] {
  return text === 'api' || text === 'llm' || text === 'both';
}

/** Only what no flag has answered is asked. */
async function askApi(
  flags: InitFlags,
): Promise<{ upstream: string | undefined; price: string | undefined }> {
  const upstream = flags.upstream ?? (await askText(UPSTREAM_QUESTION));
  return { upstream, price: flags.price ?? (await askText(PRICE_QUESTION)) };
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
  files.write(plan.file, writeInitTemplate(plan.answers));
  const written = [plan.file];
  if (!files.exists('.env.example')) {
    files.write('.env.example', writeInitEnvironment(plan.answers));
    written.push('.env.example');
  }
  return {
    kind: 'done',
    json: { written },
    text: `wrote ${written.join(' and ')}`,
    hint: 'next: npx tollkeeper check, then npx tollkeeper up',
  };
}

async function choose(): Promise<string | undefined> {
  const answer = await prompts.select({
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

async function askText(question: typeof PRICE_QUESTION): Promise<string | undefined> {
  const answer = await prompts.text({ ...question, defaultValue: question.placeholder });
  return prompts.isCancel(answer) ? undefined : answer;
}
