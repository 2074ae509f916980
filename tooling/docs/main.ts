/** `npm run docs`: writes what follows from the code: the pages of docs/reference/, and the types of a configuration file. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages, reference } from './pages.ts'
import { renderTypes, typesPath } from './types.ts'

mkdirSync(reference, { recursive: true })
for (const { name, render } of pages) writeFileSync(join(reference, name), await render())
writeFileSync(typesPath, await renderTypes())
