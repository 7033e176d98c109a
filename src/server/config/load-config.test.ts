import { check, constantFrom, nat, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findProblems,
  lines,
  loadText,
  type MistakeCase,
  testMistakes,
} from '../../../test/support/check-config.ts';
import { formatProblem } from './config-problem.ts';
import { readDemoConfig } from './demo-config.ts';
import { loadConfig } from './load-config.ts';

const SYNTAX: readonly MistakeCase[] = [
  {
    name: 'a list that is not closed',
    yaml: lines('version: 1', 'plans: [', 'packs: {}'),
    problems: [
      'tollkeeper.yaml:3:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    name: 'a key twice',
    yaml: lines('version: 1', 'asset: USD', 'asset: EUR'),
    problems: ['tollkeeper.yaml:3:1 asset: the key "asset" is there twice'],
  },
  {
    name: 'a key twice, once as a number',
    yaml: lines(
      'version: 1',
      'plans:',
      '  1: { title: A, price: free }',
      '  "1": { title: B, price: free }',
    ),
    problems: ['tollkeeper.yaml:4:3 plans["1"]: the key "1" is there twice'],
  },
  {
    name: 'tabs',
    yaml: lines('version: 1', 'server:', '\tport: 1'),
    problems: ['tollkeeper.yaml:3:1: tabs cannot indent YAML: use spaces'],
  },
  {
    name: 'an empty file',
    yaml: '',
    problems: ['tollkeeper.yaml:1:1 version: is required'],
  },
  {
    name: 'a list instead of a mapping',
    yaml: '- version: 1',
    problems: ['tollkeeper.yaml:1:1: expected a mapping, got a list'],
  },
  {
    name: 'keys that are no text',
    yaml: lines('version: 1', '? [a, b]', ': c'),
    problems: ['tollkeeper.yaml:1:1: keys must be plain text'],
  },
  {
    name: 'an alias of nothing',
    yaml: lines('version: 1', 'plans: *plans', 'server: { port: 1 }'),
    problems: ['tollkeeper.yaml:2:8 plans: there is no anchor &plans before *plans'],
  },
  {
    name: 'a variable without quotes where { ends a mapping',
    yaml: lines('version: 1', 'server: { port: ${PORT} }'),
    problems: [
      'tollkeeper.yaml:2:18: not valid YAML: Unexpected flow-map-start at node end (within { } or [ ], write "${NAME}" in quotes)',
    ],
  },
  {
    name: 'two documents',
    yaml: lines('version: 1', '---', 'version: 1'),
    problems: ['tollkeeper.yaml:2:1: a second document begins: one file is one document'],
  },
  {
    name: 'an alias that contains itself',
    yaml: lines('version: 1', 'plans: &plans', '  a: *plans'),
    problems: [
      'tollkeeper.yaml:3:3 plans.a.title: is required',
      'tollkeeper.yaml:3:3 plans.a.price: is required',
      'tollkeeper.yaml:3:3 plans.a.a: unknown key "a": there are title, price, usage, limits, rate_limits, rate_exceeded, context, max_file, models, features, apis, degraded, grace, enforcement, on_sale',
      `tollkeeper.yaml:3:6 plans${'.a'.repeat(32)}: nested deeper than 32 levels`,
    ],
  },
];

const SHAPE: readonly MistakeCase[] = [
  {
    name: 'a version of the future',
    yaml: 'version: 2',
    problems: ['tollkeeper.yaml:1:10 version: expected 1: the version of this file format'],
  },
  {
    name: 'an unknown key with a near one',
    yaml: lines('version: 1', 'sever:', '  port: 1'),
    problems: ['tollkeeper.yaml:2:1 sever: unknown key "sever". Did you mean "server"?'],
  },
  {
    name: 'an unknown key deep inside, spelled like a program',
    yaml: lines('version: 1', 'providers:', '  openai:', '    baseUrl: https://api.openai.com/v1'),
    problems: [
      'tollkeeper.yaml:4:5 providers.openai.baseUrl: unknown key "baseUrl". Did you mean "base_url"?',
    ],
  },
  {
    name: 'an unknown key that is near nothing',
    yaml: lines('version: 1', 'log:', '  colour: red'),
    problems: ['tollkeeper.yaml:3:3 log.colour: unknown key "colour": there are level, requests'],
  },
  {
    name: 'an unknown key in one of several forms',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  demo:',
      '    targets:',
      '      - url: http://a.example',
      '        wieght: 3',
    ),
    problems: [
      'tollkeeper.yaml:6:9 upstreams.demo.targets[0].wieght: unknown key "wieght". Did you mean "weight"?',
    ],
  },
  {
    name: 'wrong kinds of values',
    yaml: lines('version: 1', 'server: 4020', 'plans: []', 'apis: hello'),
    problems: [
      'tollkeeper.yaml:2:9 server: expected a mapping, got 4020',
      'tollkeeper.yaml:3:8 plans: expected a mapping, got a list',
      'tollkeeper.yaml:4:7 apis: expected a mapping, got "hello"',
    ],
  },
  {
    name: 'a section without content',
    yaml: lines('version: 1', 'plans:'),
    problems: ['tollkeeper.yaml:2:7 plans: expected a mapping, got nothing'],
  },
  {
    name: 'a word that is not one of the choices',
    yaml: lines('version: 1', 'log:', '  level: warning'),
    problems: [
      'tollkeeper.yaml:3:10 log.level: expected "debug", "info", "warn", "error" or "silent", got "warning". Did you mean "warn"?',
    ],
  },
  {
    name: 'what may be one of several things, and is none',
    yaml: lines(
      'version: 1',
      'upstreams: { a: { url: http://a.example } }',
      'apis: { x: { upstream: a, cors: { origins: [5] }, routes: [~, { path: /b }] } }',
      'limits: [{ requests: 5, per: day, scope: global, only: { routes: [x.no] } }]',
    ),
    problems: [
      'tollkeeper.yaml:3:45 apis.x.cors.origins[0]: expected "*" or an origin such as "https://app.example.com", got 5',
      'tollkeeper.yaml:3:60 apis.x.routes[0]: expected a mapping, got nothing',
      'tollkeeper.yaml:4:67 limits[0].only.routes[0]: there is no route "x.no": there are x.* /b',
    ],
  },
  {
    name: 'names that are no names',
    yaml: lines('version: 1', 'upstreams:', '  My Server: { url: http://a.example }'),
    problems: [
      'tollkeeper.yaml:3:3 upstreams["My Server"]: "My Server" is not a name: use lower-case letters, digits, "-" and "_", at most 64 of them',
    ],
  },
  {
    name: 'a key that would change every object',
    yaml: lines('version: 1', 'upstreams:', '  __proto__: { url: http://a.example }'),
    problems: ['tollkeeper.yaml:3:3 upstreams: "__proto__" cannot be a key'],
  },
];

describe('a mistake is told with file, line, key and the nearest right word', () => {
  testMistakes({ SYNTAX, SHAPE });

  test('all mistakes of a file at once, in the order of the file', () => {
    const yaml = lines(
      'version: 1',
      'server: { port: high }',
      'upstreams: { a: { url: nowhere } }',
      'apis: { x: { upstream: b, routes: [{ path: y }] } }',
      'plans: { free: { title: Free, price: 1, models: [gpt] } }',
    );
    expect(findProblems(yaml).map((problem) => problem.split(': ')[0])).toEqual([
      'tollkeeper.yaml:2:17 server.port',
      'tollkeeper.yaml:3:24 upstreams.a.url',
      'tollkeeper.yaml:4:24 apis.x.upstream',
      'tollkeeper.yaml:4:44 apis.x.routes[0].path',
      'tollkeeper.yaml:5:38 plans.free.price',
      'tollkeeper.yaml:5:50 plans.free.models[0]',
    ]);
  });

  test('a file that is not there, and one that is too large', () => {
    const missing = loadConfig('/nowhere/tollkeeper.yaml', { env: {} });
    expect(missing.kind === 'invalid' && missing.problems.map(formatProblem)).toEqual([
      '/nowhere/tollkeeper.yaml: cannot read the configuration: there is no such file; `npx tollkeeper init` writes one',
    ]);
    expect(findProblems(`version: 1\n#${' '.repeat(4 * 1024 * 1024)}`)).toEqual([
      'tollkeeper.yaml:1:1: the file is larger than 4194304 bytes',
    ]);
  });

  test('aliases cannot blow a small file up', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const previous = level === 0 ? 'x' : `*a${level - 1}`;
      return `  a${level}: &a${level} [${Array.from({ length: 10 }, () => previous).join(', ')}]`;
    });
    const problems = findProblems(lines('version: 1', 'plans:', ...levels));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('more than 250000 values, aliases counted');
  });

  test('an alias is what has its anchor last before it', () => {
    const plans = ['one', 'two'].flatMap((title) => [
      `  a-${title}: { title: &t ${title}, price: free }`,
      `  b-${title}: { title: *t, price: free }`,
    ]);
    const { catalog } = loadText(lines('version: 1', 'plans:', ...plans));
    const titles = [...catalog.plans.values()].map((plan) => plan.title);
    expect(titles).toEqual(['one', 'one', 'two', 'two']);
  });

  test('of two misspelled keys, each is told, and not what follows from it', () => {
    const yaml = lines(
      'version: 1',
      'plans:',
      '  a: { titel: A, price: free }',
      '  b: { titel: B, price: free }',
    );
    expect(findProblems(yaml)).toEqual([
      'tollkeeper.yaml:3:8 plans.a.titel: unknown key "titel". Did you mean "title"?',
      'tollkeeper.yaml:4:8 plans.b.titel: unknown key "titel". Did you mean "title"?',
    ]);
  });

  test('no nesting uses up the stack', () => {
    const problems = ['[', '{a: ', '- ', '? '].map((open) =>
      findProblems(`version: 1\nplans:\n  ${open.repeat(100_000)}`),
    );
    const columns = [258, 1020, 512, 512];
    expect(problems).toEqual(
      columns.map((column) => [`tollkeeper.yaml:3:${column}: nested too deep to be read`]),
    );
  });

  test('whatever is done to a file, the answer is a configuration or a list of placed problems', () => {
    const demo = readDemoConfig();
    const text = typeof demo === 'string' ? '' : demo.text;
    const snippet = oneof(
      string(),
      constantFrom(
        '{',
        '[',
        '- ',
        ': ',
        '\n',
        '  ',
        '*a',
        '&a ',
        '${X}',
        'file:x',
        '0',
        '-1',
        '1e999',
        'null',
        '"',
        '!!map ',
      ),
    );
    check(
      property(nat(text.length), nat(40), snippet, (at, removed, inserted) => {
        const broken = text.slice(0, at) + inserted + text.slice(at + removed);
        const result = loadConfig({ text: broken, file: 'demo.yaml' }, { env: {} });
        const problems = result.kind === 'ok' ? [] : result.problems;
        expect(result.kind === 'ok' || problems.length > 0).toBe(true);
        const count = broken.split('\n').length;
        expect(
          problems.every(({ line, column }) => line >= 1 && line <= count && column >= 1),
        ).toBe(true);
        expect(problems.every(({ message }) => message.length > 5)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
