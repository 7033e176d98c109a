import { describe, expect, it, vi } from 'vitest';

import { buildModel } from '../../../test/support/build-catalog.ts';
import { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import type { MemoryGateway } from '../../../test/support/memory-gateway.ts';
import { open } from '../../../test/support/pipeline-setting.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { openaiCompatible } from '../../providers/openai-compatible/openai-compatible.ts';
import { requestStage } from '../round.ts';

const CALL = { path: '/', body: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } };

const ANSWER = JSON.stringify({
  choices: [{ message: { content: 'hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
});

/** One model, and a key that is known: its calls do not wait for the store. */
async function openModel(): Promise<MemoryGateway> {
  const gateway = open({
    routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
    plan: { models: ['m'], usage: 'prepaid' },
    catalog: { models: new Map([['m', buildModel('m', { perOutputToken: 1_000_000_000n })]]) },
  });
  gateway.engine.balances.set('bal:ten_1:USD', 1_000_000_000_000);
  gateway.answer = { status: 200, headers: ['Content-Type', 'application/json'], body: ANSWER };
  expect((await gateway.call(CALL)).status).toBe(200);
  return gateway;
}

/** Begins calls in one round of the loop; resolves when `recorded` of them have been. */
async function callTogether(
  gateway: MemoryGateway,
  responses: readonly MemoryResponse[],
  recorded = responses.length,
): Promise<void> {
  const all = gateway.logged.length + recorded;
  const begun: Promise<unknown>[] = [];
  requestStage.add({
    proceed: () => begun.push(...responses.map((response) => gateway.call(CALL, response))),
  });
  await waitFor(() => begun.length > 0 && gateway.logged.length === all, {
    timeoutMs: 5000,
    what: 'every call to be recorded',
  });
  await Promise.all(begun);
}

describe('the next step of a request, among those of others', () => {
  it('is taken when all of them have come so far', async () => {
    const gateway = await openModel();
    const order: string[] = [];
    const { engine } = gateway;
    const [reserve, capture] = [engine.tryReserve.bind(engine), engine.capture.bind(engine)];
    vi.spyOn(engine, 'tryReserve').mockImplementation((...args) => {
      order.push(`hold, ${gateway.sent.length} sent`);
      return reserve(...args);
    });
    vi.spyOn(engine, 'capture').mockImplementation((...args) => {
      order.push('charge');
      return capture(...args);
    });
    const before = gateway.sent.length;
    const responses = [new MemoryResponse(), new MemoryResponse()];
    await callTogether(gateway, responses);
    expect(order).toEqual([`hold, ${before} sent`, `hold, ${before} sent`, 'charge', 'charge']);
    expect(responses.map(({ status, body }) => [status, body])).toEqual([
      [200, ANSWER],
      [200, ANSWER],
    ]);
  });

  it('ends that request alone when it fails', async () => {
    const gateway = await openModel();
    vi.spyOn(gateway.engine, 'tryReserve').mockImplementationOnce(() => {
      throw new Error('planted');
    });
    const responses = [new MemoryResponse(), new MemoryResponse()];
    await callTogether(gateway, responses);
    expect(responses.map(({ status }) => status)).toEqual([500, 200]);
    expect(gateway.engine.openUnits).toBe(0);
  });

  it('ends it alone too where its body is understood', async () => {
    const gateway = await openModel();
    vi.spyOn(openaiCompatible, 'parseChat').mockImplementationOnce(() => {
      throw new Error('planted');
    });
    const responses = [new MemoryResponse(), new MemoryResponse()];
    await callTogether(gateway, responses);
    expect(responses.map(({ status }) => status)).toEqual([500, 200]);
  });

  it('costs the row of a request and nothing else when it is to be recorded', async () => {
    const gateway = await openModel();
    const push = gateway.logged.push.bind(gateway.logged);
    let planted = 0;
    vi.spyOn(gateway.logged, 'push').mockImplementation((...rows) => {
      planted += 1;
      if (planted === 1) throw new Error('planted');
      return push(...rows);
    });
    const responses = [new MemoryResponse(), new MemoryResponse()];
    await callTogether(gateway, responses, 1);
    expect(responses.map(({ status, body }) => [status, body])).toEqual([
      [200, ANSWER],
      [200, ANSWER],
    ]);
    expect([planted, gateway.engine.openUnits]).toEqual([2, 0]);
  });

  it('is not taken for a caller that has gone before it was held for', async () => {
    const gateway = await openModel();
    const [sent, charged] = [gateway.sent.length, { ...gateway.engine.charged }];
    const response = new MemoryResponse();
    response.closed = true;
    await callTogether(gateway, [response]);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone', holdNano: 0 });
    expect([gateway.sent.length, gateway.engine.charged]).toEqual([sent, charged]);
  });

  it('is not taken for one that has gone since, whose hold goes back', async () => {
    const gateway = await openModel();
    const { engine } = gateway;
    const [sent, charged] = [gateway.sent.length, { ...engine.charged }];
    const response = new MemoryResponse();
    const reserve = engine.tryReserve.bind(engine);
    vi.spyOn(engine, 'tryReserve').mockImplementationOnce((...args) => {
      response.closed = true;
      return reserve(...args);
    });
    await callTogether(gateway, [response]);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone' });
    expect([gateway.sent.length, engine.charged, engine.openUnits]).toEqual([sent, charged, 0]);
  });
});
