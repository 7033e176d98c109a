import type { Parameter } from '../../domain/catalog.ts';
import type { Fault } from '../../domain/facts.ts';
import { type AskedRequest, compilePointer } from './asked-request.ts';

/** What is wrong with one parameter of a request; undefined = nothing. */
export type ParameterCheck = (asked: AskedRequest) => Fault | undefined;

type ParameterType = Parameter['type'];

/** A required member that is missing, or one of another type, is the caller's fault and never charged (GW-15). */
export function compileParameter(parameter: Parameter): ParameterCheck {
  return parameter.in === 'body' ? compileBodyMember(parameter) : compileText(parameter);
}

function compileBodyMember({ name, type, required }: Parameter): ParameterCheck {
  const pointer = compilePointer(name);
  return (asked) => {
    const value = asked.bodyValue(pointer);
    if (value === undefined) return required ? fault(name, 'is required') : undefined;
    return JSON_TYPES[type](value) ? undefined : fault(name, MUST_BE[type]);
  };
}

/** Headers and query parameters are text: it must read as a value of the type. */
function compileText({ in: place, name, type, required }: Parameter): ParameterCheck {
  return (asked) => {
    const values = place === 'header' ? asked.headerValues(name) : asked.queryValues(name);
    if (values.length === 0) return required ? fault(name, 'is required') : undefined;
    return values.every(TEXT_TYPES[type]) ? undefined : fault(name, MUST_BE[type]);
  };
}

function fault(pointer: string, problem: string): Fault {
  return { code: 'INVALID_REQUEST', problem, pointer };
}

const MUST_BE: Readonly<Record<ParameterType, string>> = {
  string: 'must be a text',
  number: 'must be a number',
  integer: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be an object',
};

const JSON_TYPES: Readonly<Record<ParameterType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const TEXT_TYPES: Readonly<Record<ParameterType, (text: string) => boolean>> = {
  string: () => true,
  number: (text) => /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text),
  integer: (text) => /^-?\d+$/.test(text),
  boolean: (text) => text === 'true' || text === 'false',
  // How a list is written in a query differs from service to service; one text is a list of one.
  array: () => true,
  object: isJsonObject,
};

function isJsonObject(text: string): boolean {
  try {
    return JSON_TYPES.object(JSON.parse(text));
  } catch {
    return false;
  }
}
