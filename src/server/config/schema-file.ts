import { fileURLToPath } from 'node:url';
import { buildJsonSchema } from './schema/json-schema.ts';

/** The schema this package ships for editors: beside src/ and beside dist/. */
export function locateSchemaFile(): string {
  return fileURLToPath(new URL('../../../schema/tollkeeper.schema.json', import.meta.url));
}

export function formatSchemaFile(): string {
  return `${JSON.stringify(buildJsonSchema(), undefined, 2)}\n`;
}
