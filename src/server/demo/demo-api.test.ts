import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoApi } from './demo-api.ts';
import type { DemoServer } from './demo-server.ts';

let api: DemoServer;

beforeAll(async () => {
  api = await startDemoApi({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

async function call(path: string, init?: RequestInit) {
  const response = await fetch(api.origin + path, init);
  const body: unknown = await response.json();
  return { status: response.status, body };
}

describe('the demo API', () => {
  it.each(['/weather?city=Oslo', '/lookup/acme-7', '/report/2026', '/status', '/healthz'])(
    'answers GET %s, the same each time',
    async (path) => {
      const first = await call(path);
      expect(first.status).toBe(200);
      expect(await call(path)).toEqual(first);
    },
  );

  it('tells the weather of a city, and says when none was named', async () => {
    const { body } = await call('/weather?city=S%C3%A3o%20Paulo');
    expect(body).toMatchObject({ city: 'São Paulo', sky: expect.any(String), source: 'invented' });
    expect(await call('/weather')).toMatchObject({
      status: 400,
      body: { error: 'city is missing: try /weather?city=Oslo' },
    });
  });

  it('knows more of a company when it is asked for all', async () => {
    const { body } = await call('/lookup/acme-7');
    expect(body).not.toHaveProperty('founded');
    expect(await call('/lookup/acme-7?details=full')).toEqual({
      status: 200,
      body: { ...Object(body), founded: expect.any(Number), sites: expect.any(Number) },
    });
  });

  it('takes its time where it says so', async () => {
    expect(await call('/slow')).toEqual({
      status: 200,
      body: { waited_ms: 2000, source: 'invented' },
    });
  });

  it('enriches a JSON object, and refuses anything else', async () => {
    const answer = await call('/enrich', { method: 'POST', body: '{"name":"Ada"}' });
    expect(answer).toMatchObject({
      status: 200,
      body: { name: 'Ada', enriched: { score: expect.any(Number) } },
    });
    for (const body of ['[]', '{', 'null', '']) {
      expect(await call('/enrich', { method: 'POST', body })).toMatchObject({ status: 400 });
    }
  });

  it.each([
    ['GET', '/nowhere', 404],
    ['GET', '/lookup/', 404],
    ['POST', '/weather', 405],
    ['GET', '/enrich', 405],
  ])('refuses %s %s with %d', async (method, path, status) => {
    expect(await call(path, { method })).toMatchObject({
      status,
      body: { error: expect.any(String) },
    });
  });

  it('tells what arrived', async () => {
    const headers = { 'X-Custom': 'Value' };
    const answer = await call('/echo-headers?a=1&b', { method: 'PUT', body: 'four', headers });
    expect(answer.body).toMatchObject({
      method: 'PUT',
      path: '/echo-headers?a=1&b',
      headers: { 'x-custom': 'Value' },
      body_bytes: 4,
    });
  });

  it.each(['PUT', 'POST'])('counts the bytes of a %s without keeping them', async (method) => {
    const bytes = 40 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024);
    const counted = new Promise<string>((resolve, reject) => {
      const upload = request(`${api.origin}/upload`, { method }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      });
      upload.on('error', reject);
      let left = bytes;
      const send = () => {
        while (left > 0) {
          left -= chunk.length;
          if (!upload.write(chunk)) {
            upload.once('drain', send);
            return;
          }
        }
        upload.end();
      };
      send();
    });
    expect(JSON.parse(await counted)).toEqual({ bytes });
  });

  it.each([0, 1, 65_536, 65_537, 50_000_000])('sends a download of %d bytes', async (bytes) => {
    const response = await fetch(`${api.origin}/download?bytes=${bytes}`);
    expect(response.headers.get('content-length')).toBe(String(bytes));
    let received = 0;
    for await (const chunk of response.body ?? []) received += chunk.length;
    expect(received).toBe(bytes);
  });

  it.each(['', '?bytes=', '?bytes=-1', '?bytes=1e9', '?bytes=999999999999'])(
    'refuses the download %s',
    async (query) => {
      expect(await call(`/download${query}`)).toMatchObject({
        status: 400,
        body: { error: expect.stringContaining('bytes must be') },
      });
    },
  );
});
