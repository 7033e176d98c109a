import fc from 'fast-check';
import { expect, it } from 'vitest';

import { html } from './html.ts';

it.each([
  [
    'text',
    html`<b>${'<script>alert(1)</script>'}</b>`,
    '<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>',
  ],
  ['a quoted attribute', html`<b title="${`"'&`}">x</b>`, '<b title="&quot;&#39;&amp;">x</b>'],
  ['markup, once', html`<p>${html`<i>${'&'}</i>`}</p>`, '<p><i>&amp;</i></p>'],
  ['a list', html`${['<', html`<i>x</i>`, 3]}`, '&lt;<i>x</i>3'],
  ['nothing', html`[${undefined}${''}${[]}]`, '[]'],
])('renders %s', (_title, markup, expected) => {
  expect(markup.toString()).toBe(expected);
});

it('no text can open a tag or leave an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(html`${text}`.toString()).not.toMatch(/[<>"']/);
    }),
  );
});
