/** The one style sheet. Colours reach a contrast of 4.5 on their ground in both schemes (WCAG 2.2 1.4.3). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --text: #1b1f27; --quiet: #565e6c; --line: #d9dde4;
  --link: #0b57c2; --good: #136c3b; --bad: #b3261e; --note: #6b4c00; --note-ground: #fff4d6;
  --button: #0b57c2; --button-text: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --panel: #1d2128; --text: #e7eaf0; --quiet: #a4adbb; --line: #353b46;
    --link: #8ab8ff; --good: #6fd49b; --bad: #ff9d94; --note: #f3d48a; --note-ground: #352b10;
    --button: #8ab8ff; --button-text: #0e1726;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 46rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header { padding: 1.1rem 0; border-bottom: 1px solid var(--line); }
header a { color: var(--text); font-weight: 650; text-decoration: none; letter-spacing: .01em; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.75rem 0 .75rem; }
h1, h2, h3, p, li, button { overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, ul, ol { margin: .5rem 0; }
li { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .9em; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .85rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; line-height: 1.5; font-size: .875rem; }
pre code { font-size: inherit; overflow-wrap: normal; }
.scroll { overflow-x: auto; }
@media (min-width: 64rem) { main > .scroll:has(td:nth-child(5)) { margin-inline: -7rem; } }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); }
td code { overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.number, td.number { padding-right: 0; padding-left: .75rem; }
tbody th { color: var(--text); }
tbody th span { font-weight: 400; }
main > .scroll + form { margin-top: 1rem; }
.lead { font-size: 1.125rem; }
.quiet { color: var(--quiet); }
.small { font-size: .875rem; }
.note, .done { padding: .6rem .9rem; margin: 1rem 0; border-radius: 8px; }
.note { background: var(--note-ground); color: var(--note); }
.done { background: var(--panel); border-left: 4px solid var(--good); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: .75rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.trace { list-style: none; padding: 0; }
.trace li { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0 .75rem; padding: .45rem 0; border-bottom: 1px solid var(--line); margin: 0; }
.trace p { margin: 0; }
.passed { color: var(--good); } .refused { color: var(--bad); font-weight: 650; } .skipped { color: var(--quiet); }
.trace .small + p { margin-top: .1rem; }
.inline { font-size: 1rem; margin: 0; }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; }
.chip { padding: .1rem .6rem; border: 1px solid var(--line); border-radius: 99px; background: var(--panel); font-size: .875rem; overflow-wrap: anywhere; }
.steps { list-style: none; padding: 0; border-top: 1px solid var(--line); }
.steps > li { margin: 0; border-bottom: 1px solid var(--line); }
summary { display: flex; justify-content: space-between; gap: 1rem; padding: .6rem 0; cursor: pointer; font-weight: 600; }
summary::before { content: "+"; width: 1ch; color: var(--quiet); }
details[open] > summary::before { content: "-"; }
summary span:first-of-type { flex: 1; }
.checks { list-style: none; padding: 0 0 .5rem 1.4rem; overflow-wrap: anywhere; }
.trace li > * { min-width: 0; }
.steps .scroll, .steps form, .steps details > p { margin: 0 0 .9rem 1.4rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; }
.offers { list-style: none; padding: 0; }
.offers li { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; padding: .9rem 1rem; margin: .6rem 0; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.offers p { margin: 0; }
.offers li > * { min-width: 0; }
button {
  font: inherit; font-weight: 600; padding: .5rem 1rem; min-height: 2.75rem;
  border: 0; border-radius: 8px; background: var(--button); color: var(--button-text); cursor: pointer;
}
.try { display: grid; gap: .35rem; margin: 1.5rem 0; }
.try label { font-weight: 600; margin-top: .5rem; }
input, select, textarea {
  font: inherit; width: 100%; padding: .55rem .7rem; min-height: 2.75rem;
  border: 1px solid var(--quiet); border-radius: 8px; background: var(--ground); color: var(--text);
}
textarea { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875rem; }
input:focus-visible, select:focus-visible, textarea:focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
button.plain { background: var(--panel); color: var(--link); border: 1px solid var(--line); }
textarea.large { min-height: 14rem; }
summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
@media (max-width: 30rem) { .trace li { grid-template-columns: 1fr; } .offers button { width: 100%; } .offers form { width: 100%; } .buttons button { width: 100%; } .checks { padding-left: 0; } .steps .scroll, .steps form, .steps details > p { margin-left: 0; } }
`;
