import { describe, expect, test } from 'vitest';
import { findProblems, lines, loadText, withRoute } from '../../../test/support/check-config.ts';
import { formatProblem } from './config-problem.ts';

function warningsOf(...text: readonly string[]): readonly string[] {
  return loadText(lines(...text)).warnings.map(formatProblem);
}

const COURSE = withRoute(
  'path_regex: "^/c/(?<course>[0-9]+)$"',
  'requires: [{ purchase: "course-{course}-video" }]',
);
function addOn(purchases: string): string {
  return `add_ons: { a: { title: A, price: 1 USD, grants: { purchases: [${purchases}] } } }`;
}

describe('what nobody can have is a warning', () => {
  test('a feature of no plan and no add-on, told once', () => {
    const routes = lines(
      withRoute('{ path: /a, feature: reports }'),
      '      - { path: /b, requires: [{ feature: reports }, { feature: exports }] }',
    );
    expect(warningsOf(routes)).toEqual([
      'tollkeeper.yaml:7:30 apis.shop.routes[0].feature: nobody can have the feature "reports", as no plan includes it and no add-on grants it: its calls get a 403',
      'tollkeeper.yaml:8:65 apis.shop.routes[1].requires[1].feature: nobody can have the feature "exports", as no plan includes it and no add-on grants it: its calls get a 403',
    ]);
    const plans = 'plans: { pro: { title: Pro, price: 1 USD, features: [reports] } }';
    const addOns = 'add_ons: { a: { title: A, price: 1 USD, grants: { features: [exports] } } }';
    expect(warningsOf(routes, plans, addOns)).toEqual([]);
  });

  test('a purchase of no add-on', () => {
    expect(warningsOf(COURSE)).toEqual([
      'tollkeeper.yaml:8:32 apis.shop.routes[0].requires[0].purchase: nobody can have the purchase "course-{course}-video", as no add-on grants it: its calls get a 403',
    ]);
  });
});

describe('what is granted may be what the path fills in', () => {
  test.each(['course-7-video', 'course-*', 'course-7*', 'c*'])('%s', (purchase) => {
    expect(warningsOf(COURSE, addOn(purchase))).toEqual([]);
  });

  test.each(['course--video', 'course-7', 'lesson-7-video', 'd*'])('but not %s', (purchase) => {
    expect(findProblems(lines(COURSE, addOn(purchase)))).toEqual([
      expect.stringContaining(`there is no route with the purchase "${purchase}"`),
    ]);
  });

  test('without such a part it is the name itself, or what begins like it', () => {
    const route = withRoute('{ path: /a, requires: [{ purchase: course-7 }] }');
    expect(warningsOf(route, addOn('course-7'))).toEqual([]);
    expect(warningsOf(route, addOn('course-*'))).toEqual([]);
    expect(findProblems(lines(route, addOn('course-70')))).toHaveLength(1);
    expect(findProblems(lines(route, addOn('course-7-*')))).toHaveLength(1);
  });
});
