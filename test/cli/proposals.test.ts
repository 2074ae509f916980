/** What `inspect` and `init` print for a file loads it, whatever its shape. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { variants } from '../../bench/polluted/variants.ts'
import { loadModel } from '../../src/cli/settings/model.ts'
import { fixtures, wordsOf } from './run.ts'
import { runHere } from './printed.ts'

interface Inspected {
  readonly file: string
  readonly records: number
  readonly rejected: number
  readonly columns: readonly { readonly name: string }[]
  readonly command: string
}

let folder: string
let files: readonly Inspected[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-proposals-'))
  const paths = [...(await fixturesIn('real-shapes')), ...(await fixturesIn('cases')), ...(await written())]
  const run = await runHere(['inspect', ...paths, '--json'])
  expect(run.code, run.err).toBe(0)
  files = JSON.parse(run.out) as Inspected[]
  expect(files).toHaveLength(paths.length)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function fixturesIn(name: string): Promise<string[]> {
  const names = await readdir(join(fixtures, name))
  // What is right for a fixture lies beside it.
  return names
    .filter((each) => !names.includes(each.replace(/\.json$/, '')) || !each.endsWith('.json'))
    .map((each) => join(fixtures, name, each))
}

/** Shapes that no fixture has, and the first and the last polluted file of each kind. */
async function written(): Promise<string[]> {
  const all = [...variants()]
  const kinds = [
    new Map(all.map((each) => [each.kind, each])),
    new Map(all.toReversed().map((each) => [each.kind, each])),
  ]
  const polluted = new Set(
    kinds.flatMap((each) => [...each.values()].filter(({ bytes }) => bytes.length > 0)),
  )
  const contents = [
    ...shapes.map((text) => ({ name: `shape`, bytes: text })),
    ...[...polluted].map(({ bytes }) => ({ name: 'polluted', bytes })),
  ]
  const paths: string[] = []
  for (const [index, { name, bytes }] of contents.entries()) {
    const path = join(folder, `${name}-${index}.csv`)
    await writeFile(path, bytes)
    paths.push(path)
  }
  return paths
}

const shapes = [
  'id,price,price\n1,2,3\n2,3,4\n',
  'a,b,,\n1,2,3,\n4,5,6,\n',
  // What an option says of one column leads to a question of another.
  'a,b,c\n$1,$1,0\n$2,$2,1\n$3,$3,2\n$4,Total,3\n',
  'a,b,c\nNULL,NULL,0\n2,2,1\n3,3,2\n4,Total,3\n',
  'a,b,c\n 1, 1,0\n 2, 2,1\n 3, 3,2\n 4,Total,3\n',
  'a,b\n[m],[s]\nNULL,1\n3,2\n4,3\nend,x\n',
  // Files with headers that were joined to one.
  'id,day\n1,2026-01-01\n2,2026-01-02\nid,day\n3,2026-01-03\n4,2026-01-04\n',
  'country,2019,2020\nDE,1.50,2.50\nFR,3.50,4.50\n',
]

it('the command that inspect prints loads the file without a further question', async () => {
  for (const { command } of files) {
    const run = await runHere([...wordsOf(command), '--dry-run', '--to', `sqlite:${join(folder, 'none.db')}`])
    expect([0, 3], `${command}\n${run.err}`).toContain(run.code)
  }
})

it.each([
  ['real shapes', /real-shapes/],
  ['cases', /cases/],
  ['polluted and others', /lading-proposals/],
])('the command that init prints loads the file with the model that it has written: %s', async (_, where) => {
  const at = (name: string) => join(folder, name)
  const places = ['--to', `sqlite:${at('t.db')}`, '--queue', `embedded:${at('q.db')}`, '--state', at('s.db')]
  for (const [index, { file, records, rejected, columns }] of files.entries()) {
    if (!where.test(file)) continue
    const path = at(`model-${index}.ts`)
    const init = await runHere(['init', file, '-o', path])
    const [command = ''] = /lading load .*/.exec(init.err) ?? []
    const model = await loadModel(path)
    const names = model.columns.map(({ name }) => name)
    expect(names, file).toEqual(columns.map(({ name }) => name))
    const run = await runHere([...wordsOf(command), ...places, '--json'])
    expect([0, 3], `${command}\n${run.err}`).toContain(run.code)
    expect(JSON.parse(run.out), command).toMatchObject({ receipts: [{ records, rejected }] })
  }
})
