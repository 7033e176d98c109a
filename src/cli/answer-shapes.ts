/** What the commands read of an answer: one member at a time, because the gateway may be newer than they are. */
export function readText(json: unknown, name: string): string | null {
  const value = readMember(json, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

export function readMember(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}

export function readList(json: unknown, name: string): readonly unknown[] {
  const value = readMember(json, name);
  return Array.isArray(value) ? value : [];
}

/** `50.00 USD per month`, `1.00 USD`; null where there is no budget. */
export function readBudget(json: unknown): string | null {
  const budget = readText(json, 'budget');
  const period = readText(json, 'budget_per');
  return budget === null || period === 'lifetime' ? budget : `${budget} per ${period}`;
}
