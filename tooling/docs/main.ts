/** `npm run docs`: writes the pages of docs/reference/ that follow from the code. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages, reference } from './pages.ts'

mkdirSync(reference, { recursive: true })
for (const { name, render } of pages) writeFileSync(join(reference, name), await render())
