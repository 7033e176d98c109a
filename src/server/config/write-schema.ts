// Writes schema/tollkeeper.schema.json: `npx tsx src/server/config/write-schema.ts` after a change of the schema.
import { writeFileSync } from 'node:fs';
import { formatSchemaFile, locateSchemaFile } from './schema-file.ts';

writeFileSync(locateSchemaFile(), formatSchemaFile());
