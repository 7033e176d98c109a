import type { Condition, Requirement, Route } from '../../domain/catalog.ts';
import { apiFeature } from '../../domain/api-feature.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import type { EntitlementFact } from '../../domain/facts.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { normalizePath } from '../request-path.ts';
import { type AskedRequest, compilePointer } from './asked-request.ts';

/** Callers choose the part of the path that an id is made of. */
const ID_LENGTH_MAX = 256;
const NAMED_GROUP = /\{([A-Za-z_$][\w$]*)\}/g;

type Test = (asked: AskedRequest) => boolean;

/** One entitlement of a route, compiled at load time. */
export interface CompiledRequirement {
  readonly kind: Requirement['kind'];
  /** That the plan has this API: who is let in without a key is let in here. */
  readonly isOwnApi: boolean;
  /** Of this very call: `{name}` of the route's regular expression is filled in. */
  readonly idOf: (path: string) => string;
  readonly tests: readonly Test[];
  /** Asked for only of a body longer than this; undefined = of any. */
  readonly bytesAbove: number | undefined;
}

export interface Requirements {
  /** Those that this call is known to need. */
  readonly entitlements: readonly EntitlementFact[];
  /** The first that it will need once so many bytes of its body have passed, and lacks. */
  readonly pending: PendingEntitlement | undefined;
}

/** Lacking as soon as a body of unknown length is longer than `bytesMax`. */
export interface PendingEntitlement {
  readonly bytesMax: number;
  readonly entitlement: EntitlementFact;
}

export function compileRequirement(requirement: Requirement, route: Route): CompiledRequirement {
  const { kind, id, when } = requirement;
  const sizes = when.flatMap((each) => (each.kind === 'body-bytes' ? [each.above] : []));
  return {
    kind,
    isOwnApi: kind === 'feature' && id === apiFeature(route.apiId),
    idOf: compileId(id, route),
    tests: when.flatMap(compileTest),
    bytesAbove: sizes.length === 0 ? undefined : Math.max(...sizes),
  };
}

/** What the call needs of what `plan` grants; no plan grants the API alone, where it is open to anybody (GW-19, QUOTA-15). */
export function judgeRequirements(
  requirements: readonly CompiledRequirement[],
  asked: AskedRequest,
  path: string,
  plan: EffectivePlan | undefined,
): Requirements {
  const entitlements: EntitlementFact[] = [];
  let pending: PendingEntitlement | undefined;
  for (const { kind, isOwnApi, idOf, tests, bytesAbove } of requirements) {
    if (!tests.every((test) => test(asked))) continue;
    const id = idOf(path);
    const granted = plan === undefined ? isOwnApi : grantsEntitlement(plan, { kind, id });
    if (bytesAbove === undefined || asked.bodyBytes > bytesAbove) {
      entitlements.push({ kind, id, granted });
    } else if (asked.bodyBytes < 0 && !granted) {
      pending = firstOf(pending, { bytesMax: bytesAbove, entitlement: { kind, id, granted } });
    }
  }
  return { entitlements, pending };
}

/** Of two, the one that a growing body comes to first. */
export function firstOf(
  left: PendingEntitlement | undefined,
  right: PendingEntitlement | undefined,
): PendingEntitlement | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return right.bytesMax < left.bytesMax ? right : left;
}

/** Whether a condition can only be judged once the body has been read. */
export function needsBody(requirement: Requirement): boolean {
  return requirement.when.some(({ kind }) => kind === 'body');
}

function compileId(id: string, { match }: Route): (path: string) => string {
  if (match.path.kind !== 'regex' || !id.includes('{')) return () => id;
  const expression = new RegExp(match.path.value);
  return (path) => {
    const normal = normalizePath(path);
    const groups = normal.kind === 'path' ? expression.exec(normal.value)?.groups : undefined;
    return id
      .replace(NAMED_GROUP, (_text, name: string) => groups?.[name] ?? '')
      .slice(0, ID_LENGTH_MAX);
  };
}

function compileTest(condition: Condition): readonly Test[] {
  switch (condition.kind) {
    case 'body-bytes':
      return [];
    case 'body': {
      const { equals } = condition;
      const pointer = compilePointer(condition.name);
      return [(asked) => isMember(asked.bodyValue(pointer), equals)];
    }
    case 'header':
    case 'query': {
      const { kind, name, equals } = condition;
      return [
        (asked) => {
          const values = kind === 'header' ? asked.headerValues(name) : asked.queryValues(name);
          return equals === undefined ? values.length > 0 : values.includes(equals);
        },
      ];
    }
  }
}

/** Numbers and booleans are compared as JSON writes them (`true`, `3`), a list by its elements. `null` asks for nothing. */
function isMember(value: unknown, equals: string | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (equals === undefined) return true;
  return Array.isArray(value) ? value.some((each) => isText(each, equals)) : isText(value, equals);
}

function isText(value: unknown, text: string): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value) === text;
  return value === text;
}
