import { hash } from 'node:crypto';

/** SHA-256 of UTF-8 text as 64 lower-case hex digits: how API keys are stored and looked up (KEY-01). */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}
