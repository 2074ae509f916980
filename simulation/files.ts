/** What loads find on their machines: files so small that the program reads them without waiting for anything. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Of } from '../src/core/sha256.ts'
import { FoundFiles } from '../src/source/found.ts'
import { flaky, poison, type Published, refused, type Sort } from './messages.ts'

export interface LoadFile {
  readonly name: string
  /** As the queue is to hold them; only the load knows their keys and headers. */
  readonly chunks: readonly Published[]
}

const head = 'id,note\n'
/** More than any record has, and not more than any two. */
export const chunkBytes = 20

function fileOf(name: string, first: number, sorts: readonly Sort[]): LoadFile {
  const chunks = sorts.map((sort, chunk): Published => {
    const [one, two] = [first + 2 * chunk, first + 2 * chunk + 1]
    const note = sort === 'refused row' ? refused : sort === poison || sort === flaky ? sort : 'good'
    const body = Buffer.from(`${one},good\n${sort === 'bad record' ? 'xxxx' : two},${note}\n`)
    const isWhole = sort !== 'bad record' && sort !== 'refused row'
    const counts = { rows: isWhole ? [one, two] : [one], rejects: isWhole ? 0 : 1, records: 2 }
    return chunkOf(sort, `${name}/${chunk}`, body, counts)
  })
  // A file without a record has one chunk, and nothing is in it.
  const none = chunkOf('chunk', `${name}/0`, Buffer.alloc(0), { rows: [], rejects: 0, records: 0 })
  return { name, chunks: chunks.length === 0 ? [none] : chunks }
}

function chunkOf(
  sort: Sort,
  key: string,
  body: Buffer,
  counts: Pick<Published, 'rows' | 'rejects' | 'records'>,
): Published {
  return { sort, isChunk: true, key, headers: {}, body, sha256: sha256Of(body), ...counts, group: key }
}

const usual = fileOf('usual.csv', 1_000, ['chunk', 'refused row', 'chunk', 'flaky', 'chunk'])
const odd = fileOf('odd.csv', 3_000, ['chunk', 'poison', 'bad record'])
const empty = fileOf('empty.csv', 5_000, [])
const none: readonly LoadFile[] = []

/** What is loaded in a schedule: mostly nothing. */
export const fileSets = [none, none, none, none, [usual], [usual, odd], [empty, odd]]

const folder = mkdtempSync(join(tmpdir(), 'lading-simulation-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const { name, chunks } of [usual, odd, empty])
  writeFileSync(join(folder, name), head + chunks.map(({ body }) => String(body)).join(''))

const pathOf = (name: string): string => join(folder, name)

/** The options by which a load has the files. */
export const given = (files: readonly LoadFile[]) => ({
  paths: files.map(({ name }) => pathOf(name)),
  files: new FoundFiles(files.map(({ name }) => ({ name, pathOf }))),
  chunkBytes,
})

/** Of each machine, the producer's state. */
export const statePaths = ['here', 'elsewhere'].map((machine) => join(folder, `${machine}.db`))
for (const path of statePaths) writeFileSync(path, '')
