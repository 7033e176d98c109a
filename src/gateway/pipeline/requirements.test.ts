import { describe, expect, it } from 'vitest';

import { buildPlan, buildRoute } from '../../../test/support/build-catalog.ts';
import { apiFeature } from '../../domain/api-feature.ts';
import type { Condition, PathMatch, Requirement } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import { AskedRequest } from './asked-request.ts';
import {
  compileRequirement,
  judgeRequirements,
  needsBody,
  type Requirements,
} from './requirements.ts';

const FEATURE: Requirement = { kind: 'feature', id: 'js_rendering', when: [] };
const COURSE: Requirement = { kind: 'purchase', id: 'course-{name}', when: [] };
const BY_NAME: PathMatch = { kind: 'regex', value: '^/courses/(?<name>[^/]+)$' };

interface Came {
  readonly target?: string;
  readonly headers?: string[];
  readonly body?: unknown;
  readonly contentLength?: number;
}

function judge(
  requirements: readonly Requirement[],
  came: Came,
  plan: Partial<EffectivePlan> | undefined = {},
  path: PathMatch = BY_NAME,
): Requirements {
  const route = buildRoute({ match: { methods: [], path, headers: [] } });
  const { target = '/', headers = [], contentLength = 0 } = came;
  const body = came.body === undefined ? undefined : { parsed: came.body, bytes: 20 };
  return judgeRequirements(
    requirements.map((each) => compileRequirement(each, route)),
    new AskedRequest({ target, headers, contentLength }, body),
    target.split('?')[0] ?? '',
    { ...buildPlan('free'), purchases: [], ...plan },
  );
}

const isAsked = (when: readonly Condition[], came: Came): boolean =>
  judge([{ ...FEATURE, when }], came).entitlements.length > 0;

it('QUOTA-15: who has no plan is let into an API that is open, and has nothing of what plans grant', () => {
  const route = buildRoute({ apiId: 'kiosk' });
  const own: Requirement = { kind: 'feature', id: apiFeature('kiosk'), when: [] };
  const other: Requirement = { kind: 'feature', id: apiFeature('shop'), when: [] };
  const asked = new AskedRequest({ target: '/', headers: [], contentLength: 0 }, undefined);
  const needed = [own, other, FEATURE].map((each) => compileRequirement(each, route));
  const { entitlements } = judgeRequirements(needed, asked, '/', undefined);
  expect(entitlements.map(({ granted }) => granted)).toEqual([true, false, false]);
});

describe('what a call needs (GW-19)', () => {
  it('always, where there is no condition; granted by the plan or not', () => {
    expect(judge([FEATURE], {}).entitlements).toEqual([
      { kind: 'feature', id: 'js_rendering', granted: false },
    ]);
    expect(judge([FEATURE], {}, { features: ['js_rendering'] }).entitlements).toMatchObject([
      { granted: true },
    ]);
  });

  it.each<[string, Condition, Came, boolean]>([
    [
      'query value',
      { kind: 'query', name: 'render_js', equals: 'true' },
      { target: '/?render_js=true' },
      true,
    ],
    [
      'another value',
      { kind: 'query', name: 'render_js', equals: 'true' },
      { target: '/?render_js=false' },
      false,
    ],
    [
      'one of two values',
      { kind: 'query', name: 'render_js', equals: 'true' },
      { target: '/?render_js=false&render_js=true' },
      true,
    ],
    [
      'any value',
      { kind: 'query', name: 'render_js', equals: undefined },
      { target: '/?render_js=' },
      true,
    ],
    [
      'no parameter',
      { kind: 'query', name: 'render_js', equals: undefined },
      { target: '/?x=1' },
      false,
    ],
    [
      'header value',
      { kind: 'header', name: 'x-proxy', equals: 'residential' },
      { headers: ['X-Proxy', 'residential'] },
      true,
    ],
    [
      'another header',
      { kind: 'header', name: 'x-proxy', equals: 'residential' },
      { headers: ['X-Proxy', 'plain'] },
      false,
    ],
    [
      'body text',
      { kind: 'body', name: '/extract', equals: 'ai' },
      { body: { extract: 'ai' } },
      true,
    ],
    [
      'body truth',
      { kind: 'body', name: '/extract', equals: 'true' },
      { body: { extract: true } },
      true,
    ],
    ['body number', { kind: 'body', name: '/n', equals: '3' }, { body: { n: 3 } }, true],
    [
      'one of a list',
      { kind: 'body', name: '/extract', equals: 'ai' },
      { body: { extract: ['css', 'ai'] } },
      true,
    ],
    [
      'another text',
      { kind: 'body', name: '/extract', equals: 'ai' },
      { body: { extract: 'css' } },
      false,
    ],
    [
      'any member',
      { kind: 'body', name: '/extract', equals: undefined },
      { body: { extract: {} } },
      true,
    ],
    [
      'null asks for nothing',
      { kind: 'body', name: '/extract', equals: undefined },
      { body: { extract: null } },
      false,
    ],
    ['no body', { kind: 'body', name: '/extract', equals: undefined }, {}, false],
    ['a long body', { kind: 'body-bytes', above: 99 }, { contentLength: 100 }, true],
    ['a body just so long', { kind: 'body-bytes', above: 100 }, { contentLength: 100 }, false],
    ['no body is not long', { kind: 'body-bytes', above: 0 }, {}, false],
  ])('%s', (_what, condition, came, asked) => {
    expect(isAsked([condition], came)).toBe(asked);
  });

  it('all conditions must hold', () => {
    const when: Condition[] = [
      { kind: 'query', name: 'a', equals: '1' },
      { kind: 'query', name: 'b', equals: '2' },
    ];
    expect(isAsked(when, { target: '/?a=1&b=2' })).toBe(true);
    expect(isAsked(when, { target: '/?a=1&b=3' })).toBe(false);
  });

  it('every requirement is told, granted or not: what is offered is tried against all', () => {
    const other = { ...FEATURE, id: 'proxy' };
    expect(judge([FEATURE, other], {}, { features: ['proxy'] }).entitlements).toMatchObject([
      { id: 'js_rendering', granted: false },
      { id: 'proxy', granted: true },
    ]);
  });

  it('only conditions on the body need the body read', () => {
    expect(needsBody({ ...FEATURE, when: [{ kind: 'body', name: '/a', equals: '1' }] })).toBe(true);
    expect(needsBody({ ...FEATURE, when: [{ kind: 'body-bytes', above: 1 }] })).toBe(false);
    expect(needsBody(FEATURE)).toBe(false);
  });
});

describe('one-time purchases (PLAN-05)', () => {
  it('are named by the path, in one spelling', () => {
    const bought = { purchases: ['course-7'] };
    const idsOf = (target: string) => judge([COURSE], { target }, bought).entitlements;
    expect(idsOf('/courses/7')).toEqual([{ kind: 'purchase', id: 'course-7', granted: true }]);
    expect(idsOf('/courses/%37')).toEqual([{ kind: 'purchase', id: 'course-7', granted: true }]);
    expect(idsOf('/courses/8')).toEqual([{ kind: 'purchase', id: 'course-8', granted: false }]);
  });

  it('are all granted by a star', () => {
    const all = { purchases: ['course-*'] };
    expect(judge([COURSE], { target: '/courses/8' }, all).entitlements).toMatchObject([
      { granted: true },
    ]);
  });

  it('a name that is not in the path is empty; an id is bounded', () => {
    expect(
      judge([{ ...COURSE, id: 'a-{none}' }], { target: '/courses/8' }).entitlements,
    ).toMatchObject([{ id: 'a-' }]);
    const long = judge([COURSE], { target: `/courses/${'x'.repeat(1000)}` }).entitlements[0];
    expect(long?.id).toHaveLength(256);
    const exact: PathMatch = { kind: 'exact', value: '/courses' };
    expect(judge([COURSE], { target: '/courses' }, {}, exact).entitlements).toMatchObject([
      { id: 'course-{name}' },
    ]);
  });
});

describe('a body whose length is not told', () => {
  const above = (bytes: number, id: string): Requirement => ({
    ...FEATURE,
    id,
    when: [{ kind: 'body-bytes', above: bytes }],
  });

  it('needs what it lacks as soon as it is long enough, the nearest first', () => {
    const found = judge([above(500, 'huge'), above(100, 'big')], { contentLength: -1 });
    expect(found.entitlements).toEqual([]);
    expect(found.pending).toEqual({
      bytesMax: 100,
      entitlement: { kind: 'feature', id: 'big', granted: false },
    });
  });

  it('waits for nothing that is granted, nor for what another condition rules out', () => {
    const granted = judge([above(100, 'big')], { contentLength: -1 }, { features: ['big'] });
    expect(granted.pending).toBeUndefined();
    const when: Condition[] = [
      { kind: 'body-bytes', above: 100 },
      { kind: 'query', name: 'a', equals: '1' },
    ];
    expect(judge([{ ...FEATURE, when }], { contentLength: -1 }).pending).toBeUndefined();
  });
});
