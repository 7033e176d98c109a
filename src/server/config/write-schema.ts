// Writes schema/tollkeeper.schema.json: `npm run schema` after a change of the schema.
import { writeFileSync } from 'node:fs';
import { formatSchemaFile, locateSchemaFile } from './schema-file.ts';

writeFileSync(locateSchemaFile(), formatSchemaFile());
