import { describe, expect, it } from 'vitest';

import type { MemoryCall } from '../../../test/support/memory-gateway.ts';
import { open } from '../../../test/support/pipeline-setting.ts';
import type { Api } from '../../domain/catalog.ts';

const PREFLIGHT: MemoryCall = {
  method: 'OPTIONS',
  path: '/',
  headers: ['Origin', 'https://app.test', 'Access-Control-Request-Method', 'POST'],
};
const CORS: Partial<Api> = {
  cors: { origins: ['https://app.test'], allowCredentials: false, maxAgeSeconds: 0 },
};

describe('DIAG-10: a question about a pre-flight', () => {
  it.each(['check', 'quote'] as const)(
    '%s: is answered: it passes and costs nothing',
    async (mode) => {
      const gateway = open({ api: CORS });
      const { decision, holdNano, refusal } = await gateway.rehearse(PREFLIGHT, mode);
      expect([decision.kind, holdNano, refusal]).toEqual(['admit', 0, undefined]);
      expect([gateway.sent, gateway.logged]).toEqual([[], []]);
    },
  );

  it('one that no API answers is a call like any other', async () => {
    const gateway = open();
    const { decision } = await gateway.rehearse({ ...PREFLIGHT, key: undefined }, 'check');
    expect(decision).toMatchObject({ kind: 'refuse', code: 'KEY_MISSING' });
  });
});

it.each(['check', 'quote'] as const)(
  'C402-04: %s logs nothing, and gives no link to an explanation that would lead nowhere',
  async (mode) => {
    const gateway = open();
    const call = { path: '/', key: undefined };
    const sent = await gateway.call(call);
    const { refusal } = await gateway.rehearse(call, mode);
    const instances = [sent.body, refusal?.body ?? ''].map((text) => {
      return (JSON.parse(text) as { instance: string }).instance;
    });
    expect(instances[0]).toContain('/r/req_');
    expect(instances[1]).toMatch(/^urn:tollkeeper:request:req_/);
  },
);
