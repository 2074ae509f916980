/** What lies in the queue, and what may become of each message. */
import { sha256Of } from '../src/core/sha256.ts'
import { bigint, text } from '../src/model/columns.ts'
import { defineModel } from '../src/model/model.ts'
import type { LoadInfo } from '../src/core/load.ts'
import { envelopeHeaders, targetOf } from '../src/queue/envelope.ts'
import type { Headers } from '../src/queue/queue.ts'

/** Without a key, so that a record that takes effect twice is there twice. */
export const model = defineModel({ table: 'numbers', columns: { id: bigint().notNull(), note: text() } })
export const pipeline = 'numbers'
/** The database, as chunks name it. */
export const place = 'simulated://database'

/** The database always fails at a row of the first of these notes, fails twice at one of the second, and refuses the third. */
export const poison = 'poison'
export const flaky = 'flaky'
export const refused = 'refused'

export const sorts = [
  'chunk',
  'message',
  'bad record',
  'refused row',
  'unreadable',
  'poison',
  'flaky',
  'copy',
  'key reused',
  'other pipeline',
] as const
export type Sort = (typeof sorts)[number]

/** A message as it was published. Copies are equal. */
export interface Published {
  readonly sort: Sort
  readonly isChunk: boolean
  readonly key: string
  readonly headers: Headers
  readonly body: Buffer
  /** Of the body: what tells messages apart, and what the ledger has of them. */
  readonly sha256: string
  /** Numbers of records that become rows. */
  readonly rows: readonly number[]
  readonly rejects: number
  readonly records: number
  /** Messages of one group come in their order, if the queue keeps one. */
  readonly group: string
}

const hash = (name: string): string => sha256Of(Buffer.from(name))

const isChunk = (sort: Sort): boolean => sort === 'chunk' || sort === 'bad record'

export interface Messages {
  readonly published: readonly Published[]
  readonly load: LoadInfo | undefined
}

export function messagesOf(kinds: readonly Sort[]): Messages {
  const chunks = kinds.filter(isChunk).length
  const load: LoadInfo = {
    id: '00000000-0000-4000-8000-000000000001',
    source: 'numbers.csv',
    sha256: hash('numbers.csv'),
    bytes: 100 * chunks,
    plan: hash('the plan'),
    chunks,
    records: 2 * chunks,
  }
  const published: Published[] = []
  let chunk = 0
  for (const [index, sort] of kinds.entries()) {
    const original = published.findLast((each) => each.sort === 'message' || isChunk(each.sort))
    const message = published.findLast((each) => each.sort === 'message')
    if (sort === 'copy' && original !== undefined) published.push({ ...original, sort })
    else if (isChunk(sort)) published.push(chunkOf(sort, index, load, chunk++))
    else published.push(messageOf(sort, index, message?.key))
  }
  return { published, load: chunks === 0 ? undefined : load }
}

const group = (index: number): string => `group ${index % 2}`

function chunkOf(sort: Sort, index: number, load: LoadInfo, chunk: number): Published {
  const [first, second] = [index * 10, index * 10 + 1]
  const isBad = sort === 'bad record'
  const body = Buffer.from(`${first},a\n${isBad ? 'x' : second},b\n`)
  const sha256 = sha256Of(body)
  const headers = envelopeHeaders({
    pipeline,
    target: targetOf(place),
    load,
    chunk,
    records: 2,
    sha256,
    byteStart: chunk * 100,
    firstRecord: chunk * 2 + 1,
    firstLine: chunk * 2 + 2,
    layout: { fields: ['id', 'note'], delimiter: ',', quote: '"' },
  })
  const rows = isBad ? [first] : [first, second]
  const counts = { rows, rejects: isBad ? 1 : 0, records: 2 }
  const key = `${load.id}/${chunk}`
  return { sort, isChunk: true, key, headers, body, sha256, ...counts, group: group(index) }
}

function messageOf(sort: Sort, index: number, keyBefore: string | undefined): Published {
  const id = index * 10
  const note = sort === 'refused row' ? refused : sort === poison || sort === flaky ? sort : 'a'
  const body = Buffer.from(sort === 'unreadable' ? `no JSON ${id}` : JSON.stringify({ id, note }))
  const counts = {
    rows: sort === 'refused row' || sort === 'unreadable' ? [] : [id],
    rejects: sort === 'refused row' ? 1 : 0,
    records: 1,
  }
  const key = sort === 'key reused' && keyBefore !== undefined ? keyBefore : `message-${index}`
  const headers: Headers =
    sort === 'other pipeline' ? { lading: JSON.stringify({ v: 9, pipeline: 'letters' }) } : {}
  return { sort, isChunk: false, key, headers, body, sha256: sha256Of(body), ...counts, group: group(index) }
}

/** A key without the id of its load, for people. */
export const nameOf = ({ key }: { readonly key: string }): string => key.replace(/^.*\//, 'chunk-')
