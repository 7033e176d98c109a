import fc from 'fast-check';
import { expect, it } from 'vitest';

import { renderMarkdown, titleOfMarkdown } from './markdown.ts';

const render = (source: string) =>
  renderMarkdown(source, {
    resolveLink: (target) =>
      target.includes('nowhere') ? undefined : `/errors/${target.replace(/\.md$/, '')}`,
  })
    .toString()
    // Layout between tags is the formatter's business, inside <pre> nothing stands between tags.
    .replaceAll(/>\s+</g, '><')
    .trim();

it.each([
  ['a heading', '## What `it` is', '<h2>What <code>it</code> is</h2>'],
  ['a paragraph of two lines', 'one\ntwo', '<p>one two</p>'],
  ['two paragraphs', 'one\n\ntwo', '<p>one</p><p>two</p>'],
  [
    'a list with a continued item',
    '- one\n  more\n- two',
    '<ul><li>one more</li><li>two</li></ul>',
  ],
  ['a numbered list', '1. one\n2. two', '<ol><li>one</li><li>two</li></ol>'],
  ['a list that goes on', '6. six\n7. seven', '<ol start="6"><li>six</li><li>seven</li></ol>'],
  ['emphasis', '*x* is 2 * 3', '<p><em>x</em> is 2 * 3</p>'],
  ['a list right after a paragraph', 'one:\n- two', '<p>one:</p><ul><li>two</li></ul>'],
  [
    'code, untouched',
    '```json\n{ "a": "**<b>**" }\n```',
    '<pre tabindex="0"><code>{ &quot;a&quot;: &quot;**&lt;b&gt;**&quot; }</code></pre>',
  ],
  ['code that never ends', '```\nx', '<pre tabindex="0"><code>x</code></pre>'],
  ['strong', '**`x`** y', '<p><strong><code>x</code></strong> y</p>'],
  ['a page link', '[RATE](RATE.md)', '<p><a href="/errors/RATE">RATE</a></p>'],
  [
    'a web link',
    '[x](https://example.com/?a=1&b=2)',
    '<p><a href="https://example.com/?a=1&amp;b=2">x</a></p>',
  ],
  ['a link to nothing that is served, as text', '[x](../nowhere.md)', '<p>x</p>'],
  ['a script link as text', '[x](javascript:alert)', '<p>x</p>'],
  ['a protocol-relative link as text', '[x](//evil.example)', '<p>x</p>'],
  [
    'a link that leaves its quotes as text',
    '[x](https://a/"onclick=1)',
    '<p><a href="https://a/&quot;onclick=1">x</a></p>',
  ],
  ['markup as text', '<img src=x onerror=alert(1)>', '<p>&lt;img src=x onerror=alert(1)&gt;</p>'],
])('renders %s', (_title, source, expected) => {
  expect(render(source)).toBe(expected);
});

it('renders a table with a pipe inside a cell', () => {
  expect(render('| a | b |\n| --- | --- |\n| `x` | 1 \\| 2 |')).toBe(
    '<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead><tbody><tr><td><code>x</code></td><td>1 | 2</td></tr></tbody></table></div>',
  );
});

it('finds the title', () => {
  expect(titleOfMarkdown('intro\n# KEY_MISSING\n')).toBe('KEY_MISSING');
  expect(titleOfMarkdown('## no')).toBeUndefined();
});

it('ends, and opens only tags it knows, whatever it is given', () => {
  const known = /<\/?(h[1-4]|p|ul|ol|li|pre|code|strong|em|a|div|table|thead|tbody|tr|th|td)[ >]/g;
  const unit = fc.constantFrom(...'#-*1.|`[]()<>"\' \n\\abc:/'.split(''));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 200 }), (source) => {
      expect(render(source).replaceAll(known, '')).not.toContain('<');
    }),
    { numRuns: 500 },
  );
});
