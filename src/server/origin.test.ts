import { expect, it } from 'vitest';

import { originOf } from './origin.ts';

it.each([
  ['127.0.0.1', undefined, 'http://127.0.0.1:4020'],
  ['0.0.0.0', undefined, 'http://localhost:4020'],
  ['::', undefined, 'http://localhost:4020'],
  ['::1', undefined, 'http://[::1]:4020'],
  ['api.example.com', { cert: '', key: '' }, 'https://api.example.com:4020'],
])('a listener on %s (tls: %j) is reached at %s', (host, tls, origin) => {
  expect(originOf({ host, tls }, 4020)).toBe(origin);
  expect(new URL(origin).port).toBe('4020');
});
