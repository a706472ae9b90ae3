/** node scripts/docs/openapi.ts: writes docs/openapi.json anew from the schemas in packages/node/src/api. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../../packages/node/src/api/openapi.ts';

const file = join(import.meta.dirname, '../../docs/openapi.json');
writeFileSync(file, `${JSON.stringify(openApiDocument(), null, 2)}\n`);
