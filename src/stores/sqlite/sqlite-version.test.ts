import { expect, it } from 'vitest';

import { assertSafeSqliteVersion } from './sqlite-version.ts';

it.each(['3.44.6', '3.44.7', '3.50.7', '3.51.3', '3.52.1', '3.53.0', '3.60.2'])(
  'SQLite %s is accepted',
  (version) => {
    expect(() => assertSafeSqliteVersion(version)).not.toThrow();
  },
);

it.each([
  ['older than every fix', '3.40.1'],
  ['before the back-port', '3.44.5'],
  ['a branch without a back-port', '3.45.1'],
  ['before the back-port', '3.50.6'],
  ['before the fix', '3.51.2'],
  ['withdrawn', '3.52.0'],
  ['another major version', '4.0.0'],
  ['no version', 'unknown'],
])('SQLite is refused, with the fix in the message: %s: %s', (_title, version) => {
  expect(() => assertSafeSqliteVersion(version)).toThrow(
    expect.objectContaining({
      code: 'incompatible',
      message: expect.stringMatching(/WAL-reset bug.*Use 3\.51\.3 or newer/),
    }),
  );
});
