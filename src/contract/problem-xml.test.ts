import { expect, test } from 'vitest';

import { buildProblem } from './problem.ts';
import { renderXml } from './problem-xml.ts';

const DOCUMENT = buildProblem({
  code: 'METHOD_NOT_ALLOWED',
  requestId: 'req_1',
  baseUrl: 'https://gate.example',
  details: { method: 'GET', path: '/a?b=<c>&d', allowed_methods: ['POST', 'PUT'] },
});

test('C402-10: XML has the members of the JSON body, as RFC 9457 appendix B writes them', () => {
  const xml = renderXml(DOCUMENT);
  expect(xml).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<problem xmlns="urn:ietf:rfc:7807">/,
  );
  expect(xml).toContain('<status>405</status>');
  expect(xml).toContain('<retry><kind>never_until_action</kind></retry>');
  expect(xml).toContain('<allowed_methods><i>POST</i><i>PUT</i></allowed_methods>');
  expect(xml).toContain('<path>/a?b=&lt;c&gt;&amp;d</path>');
  for (const member of Object.keys(DOCUMENT)) expect(xml).toContain(`<${member}>`);
});

test('what XML cannot write is replaced, and a field whose name is no element is left out', () => {
  const fields = { 'a b': 'x', '<z>': 'y', empty: [], nothing: undefined };
  const xml = renderXml({ ...DOCUMENT, title: 'a\u0000b\ud800c\uffffd', ...fields });
  expect(xml).toContain('<title>a\ufffdb\ufffdc\ufffdd</title>');
  expect(xml).toContain('<empty/>');
  expect(xml).not.toMatch(/a b|<<z|nothing/);
});
