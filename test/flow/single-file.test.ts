/** Lading as one file, where there is no Node. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root } from '../structure/sources.ts'

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-single-'))
  await run(process.execPath, [join(root, 'tooling/single-file/main.ts'), join(folder, 'lading')])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a shell needs, and no Node. */
const lading = (args: readonly string[], env: Readonly<Record<string, string>> = { HOME: folder }) =>
  run(join(folder, 'lading'), args, { cwd: folder, env: { PATH: '/usr/bin:/bin', ...env } })

it('unpacks itself once, however many first runs there are at a time', async () => {
  const shown = await Promise.all([1, 2, 3].map(() => lading(['--version'])))
  expect(new Set(shown.map(({ stdout }) => stdout)).size).toBe(1)
  const cache = join(folder, '.cache/lading')
  const unpacked = readdirSync(cache).filter((name) => existsSync(join(cache, name, 'node')))
  expect(unpacked).toHaveLength(1)
  expect(readdirSync(join(cache, unpacked[0] ?? '')).toSorted()).toEqual(['LICENSE.node', 'app', 'node'])
  expect(readdirSync(cache).filter((name) => name.startsWith('new.'))).toEqual([])
})

it('loads a file, with a model that finds the library', async () => {
  writeFileSync(join(folder, 'a.csv'), 'id,total\n1,12.50\n2,7.25\n')
  writeFileSync(
    join(folder, 'model.ts'),
    `import { defineModel, integer, numeric } from 'lading'
export default defineModel({ table: 'totals', columns: { id: integer().notNull(), total: numeric() }, primaryKey: ['id'] })
`,
  )
  const { stdout } = await lading(['load', 'a.csv', '--model', './model.ts', '--json', '--quiet'])
  expect(JSON.parse(stdout)).toMatchObject({ loadedNow: 2 })
})

it('says what it misses where it has no place for itself', async () => {
  await expect(lading(['--version'], {})).rejects.toMatchObject({
    code: 78,
    stderr: 'lading: set HOME or XDG_CACHE_HOME: the first run unpacks itself there\n',
  })
})
