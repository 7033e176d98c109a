import { describe, expect, it } from 'vitest';

import { open } from '../../../test/support/pipeline-setting.ts';
import type { Api } from '../../domain/catalog.ts';
import { readHeader } from './outgoing.ts';

const CORS: Partial<Api> = {
  cors: { origins: ['https://app.test'], allowCredentials: false, maxAgeSeconds: 0 },
};

describe('RFC 9110 7.6.2: a request that may go no further', () => {
  it.each(['0', '00'])(
    'OPTIONS with Max-Forwards: %s is answered here, and free',
    async (count) => {
      const gateway = open({ api: CORS });
      const headers = ['Max-Forwards', count, 'Origin', 'https://app.test'];
      const answer = await gateway.call({ method: 'OPTIONS', path: '/', headers, key: undefined });
      expect([answer.status, answer.body]).toEqual([204, '']);
      expect(readHeader(answer.headers, 'allow')).toBe(
        'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
      );
      expect(readHeader(answer.headers, 'access-control-allow-origin')).toBe('https://app.test');
      expect(readHeader(answer.headers, 'x-request-id')).toMatch(/^req_/);
      expect([gateway.sent, gateway.logged]).toEqual([[], []]);
    },
  );

  it.each([
    ['OPTIONS', '1', '0'],
    ['GET', '0', '0'],
  ])('%s with Max-Forwards: %s goes on with %s', async (method, before, after) => {
    const gateway = open();
    const answer = await gateway.call({ method, path: '/', headers: ['Max-Forwards', before] });
    expect(answer.status).toBe(200);
    expect(gateway.sent.map(({ headers }) => readHeader(headers, 'max-forwards'))).toEqual([after]);
  });
});
