import { parentPort } from 'node:worker_threads';
import { countTokens } from './count-tokens.ts';

/** Runs in a thread of its own: takes a text, answers with its number of tokens. */
parentPort?.on('message', (text: string) => parentPort?.postMessage(countTokens(text)));
