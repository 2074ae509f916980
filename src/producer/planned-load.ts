/** A load with a frozen plan, and its row in the producer's state. */
import type { Layout } from '../core/load.ts'
import type { Reading } from '../format/reading.ts'
import type { Plan } from './plan.ts'

/** A load with a frozen plan. */
export interface PlannedLoad extends Omit<Plan, 'leftOut' | 'warnings' | 'kept' | 'start' | 'before'> {
  readonly no: number
  readonly id: string
  readonly pipeline: string
  readonly path: string
  readonly name: string
  /** When the queue held the last chunk, ISO 8601; undefined before. */
  readonly publishedAt: string | undefined
  /** Place of the database that the chunks were published for; undefined where any consumer may take them. */
  readonly target: string | undefined
}

/** What is asked of many loads at once. */
export interface LoadOutline extends Pick<
  PlannedLoad,
  'no' | 'id' | 'name' | 'sha256' | 'bytes' | 'plan' | 'chunks' | 'records'
> {
  readonly publishedAt: string | null | undefined
}

/** Of the table `load`. */
export interface LoadRow {
  readonly no: number
  readonly id: string
  readonly queue: string
  readonly target: string | null
  readonly pipeline: string
  readonly path: string
  readonly name: string
  readonly state: string
  readonly layout: string
  readonly reading: string | null
  readonly model: string
  readonly sha256: string
  readonly bytes: number
  readonly plan: string
  readonly chunks: number
  readonly records: number
  readonly published_at: string | null
}

/** Parses JSON. Mostly all loads have the same, which is then one object. */
function sharing<T>(): (text: string) => T {
  let last: { readonly text: string; readonly value: T } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, value: JSON.parse(text) as T }
    return last.value
  }
}

const layoutOf = sharing<Layout>()
const readingOf = sharing<Reading>()

/** In the order of the columns. */
export const contentOf = ({ state, layout, reading, model, sha256, bytes, plan, chunks, records }: Plan) =>
  [
    state,
    JSON.stringify(layout),
    JSON.stringify(reading),
    model,
    sha256,
    bytes,
    plan,
    chunks,
    records,
  ] as const
export const noPlan = Array.from<null>({ length: 9 }).fill(null)

/** No id of a queue has a line break. */
export const scopeOf = (queue: string, target: string | undefined): string =>
  target === undefined ? queue : `${queue}\n${target}`

export const loadOf = (row: LoadRow): PlannedLoad => ({
  no: row.no,
  id: row.id,
  pipeline: row.pipeline,
  path: row.path,
  name: row.name,
  state: row.state,
  layout: layoutOf(row.layout),
  reading: readingOf(row.reading ?? '{}'),
  model: row.model,
  sha256: row.sha256,
  bytes: row.bytes,
  plan: row.plan,
  chunks: row.chunks,
  records: row.records,
  publishedAt: row.published_at ?? undefined,
  target: row.target !== null && row.queue.endsWith(scopeOf('', row.target)) ? row.target : undefined,
})
