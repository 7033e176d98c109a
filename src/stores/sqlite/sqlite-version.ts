import { StoreError } from '../store-error.ts';

/**
 * SQLite 3.7.0 to 3.51.2 can lose commits when several processes share a WAL file ("WAL-reset bug"): fixed in
 * 3.51.3, back-ported to 3.50.7 and 3.44.6; 3.52.0 was withdrawn (https://sqlite.org/releaselog/3_51_3.html).
 */
export function assertSafeSqliteVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  if (major === 3 && isFixed(minor, patch)) return;
  throw new StoreError(
    'incompatible',
    `SQLite ${version} can lose committed data when several processes share a database (WAL-reset bug). ` +
      'Use 3.51.3 or newer (not 3.52.0), 3.50.7 or 3.44.6: reinstall @photostructure/sqlite at the version in package.json.',
  );
}

function isFixed(minor: number, patch: number): boolean {
  if (minor === 44) return patch >= 6;
  if (minor === 50) return patch >= 7;
  if (minor === 51) return patch >= 3;
  return minor > 52 || (minor === 52 && patch > 0);
}
