import { expect, it, vi } from 'vitest';

import { signPayLink, verifyExplainLink, verifyPayLink } from '../control/public/signed-links.ts';
import { createLinks } from './links.ts';

// Signed for real, and counted.
vi.mock('../control/public/signed-links.ts', { spy: true });

const SECRET = Buffer.alloc(32, 7);
const TENANT = 'ten_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f';
const tokenOf = (link: string): string => link.slice(link.lastIndexOf('/') + 1);

it('a pay link says for whom and why, is the same every time, and follows the public origin', () => {
  let origin = 'http://localhost:4020';
  const links = createLinks(SECRET, () => origin);
  const link = links.payLink(TENANT, 'INSUFFICIENT_CREDITS');
  expect(link.startsWith('http://localhost:4020/pay/pl_')).toBe(true);
  expect(verifyPayLink(tokenOf(link), SECRET)).toMatchObject({
    tenantId: TENANT,
    cause: 'INSUFFICIENT_CREDITS',
  });
  expect(links.payLink(TENANT, 'INSUFFICIENT_CREDITS')).toBe(link);
  expect(links.payLink(TENANT, 'FREE_TIER_EXHAUSTED')).not.toBe(link);
  origin = 'https://api.example.com';
  expect(links.payLink(TENANT, 'INSUFFICIENT_CREDITS')).toBe(
    `https://api.example.com/pay/${tokenOf(link)}`,
  );
});

it('an explain link opens one request and no other', () => {
  const link = new URL(createLinks(SECRET, () => 'http://localhost:4020').explainLink('req_1'));
  const signature = link.searchParams.get('s') ?? '';
  expect(link.pathname).toBe('/r/req_1');
  expect(verifyExplainLink('req_1', signature, SECRET)).toBe(true);
  expect(verifyExplainLink('req_2', signature, SECRET)).toBe(false);
});

it('bound: 10,000 links are remembered, then that memory begins anew', () => {
  const signed = vi.mocked(signPayLink).mockClear();
  const links = createLinks(SECRET, () => '');
  const linkOf = (i: number): string =>
    links.payLink(`ten_${String(i).padStart(32, '0')}`, 'INSUFFICIENT_CREDITS');
  const first = linkOf(0);
  for (let i = 1; i < 10_000; i += 1) linkOf(i);
  expect(linkOf(0)).toBe(first);
  expect(signed).toHaveBeenCalledTimes(10_000);
  linkOf(10_000);
  expect(linkOf(0)).toBe(first);
  expect(signed).toHaveBeenCalledTimes(10_002);
});
