import { expect, it } from 'vitest'
import { parseAst } from 'vitest/node'
import { readSources } from './sources.ts'

const registries = ['src/queue/registry.ts', 'src/sink/registry.ts']

/** Files outside the folder of an adapter whose code may name it, and why. */
const excepted: Readonly<Record<string, string>> = {
  'src/core/file-findings.ts': 'looks at the SQLite files of the queue and the sink before they are opened',
  'src/core/sqlite.ts': 'opens the SQLite files of the queue, the sink and the state of a producer',
  'src/producer/state-file.ts': 'the state of a producer is a SQLite file',
  'src/source/compressed/foreign.ts': 'a file of SQLite that is given as a file of records is named',
  'src/cli/settings/environment.ts': 'the variables that it reads were named by others',
  'src/cli/settings/variables.ts': 'it explains the variables of drivers and of other programs',
}

const sources = readSources()
const folder = /^src\/(?:queue|sink|driver)\/(?!sql\/)([^/]+)\//
const folders = new Set([...sources.keys()].flatMap((path) => folder.exec(path)?.[1] ?? []))
/** Of names that are words besides, what only an adapter's name looks like. */
const words: Readonly<Record<string, string>> = { sqs: '\\bsqs\\b', memory: 'memory/|MemoryQueue|^memory:' }
const names = new RegExp([...folders, 'amqp'].map((name) => words[name] ?? name).join('|'), 'i')

/** Identifiers, strings and names of modules in which the text names an adapter; comments do not count. */
function namesIn(text: string): string[] {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { name, value: content } = value as { readonly name?: unknown; readonly value?: unknown }
    const raw = (content as { readonly raw?: unknown } | undefined)?.raw
    for (const each of [name, content, raw])
      if (typeof each === 'string' && names.test(each)) found.push(each)
    Object.values(value).forEach(visit)
  }
  visit(parseAst(text, { lang: 'ts' }))
  return found
}

it('no adapter is named outside its folder, its registry and the files that say why', () => {
  const outside = [...sources].filter(([path]) => !folder.test(path) && !registries.includes(path))
  const naming = outside.filter(([, text]) => names.test(text) && namesIn(text).length > 0)
  expect(naming.map(([path]) => path)).toEqual(Object.keys(excepted).toSorted())
})

it('a name is found in an identifier, a string, a template and an import, and not in a comment', () => {
  for (const code of ['const isSqlite = 1', "f('amqp://x')", 'f(`to ${a} sqlite:`)', "import './sqs/a.ts'"])
    expect(namesIn(code), code).not.toEqual([])
  expect(namesIn('// PostgreSQL has a limit\nconst a = 1')).toEqual([])
})

it('an adapter is named by its registry in three lines: its address, what opens it, and what examines it', () => {
  for (const registry of registries) {
    const text = sources.get(registry) ?? ''
    const adapters = [...text.matchAll(/^import \{ (\w+) \} from '\.\/\w+\/address\.ts'$/gm)].map(
      ([, name]) => name,
    )
    expect(adapters.length).toBeGreaterThan(1)
    const lists = [...text.matchAll(/= \[\n(.*?)\n\]/gs)].map(([, list = '']) => list.split('\n'))
    expect(lists).toHaveLength(2)
    for (const list of lists)
      expect(list.map((line) => /\.\.\.(\w+),/.exec(line)?.[1]).toSorted()).toEqual(adapters.toSorted())
  }
})
