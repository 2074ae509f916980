/** Copies of what loads have written, made inside the database, and how much it grows by them. */
import type { Kept, ScaleDatabase } from './database.ts'
import { loadOf, recordsOfChunk, rejectsOfTemplate, templates } from './rows.ts'

export interface Counts {
  /** Complete ones. */
  readonly loads: number
  /** Ones of three chunks whose entries wait to be folded. */
  readonly openLoads: number
  /** Of one load that waits to be folded. */
  readonly chunks: number
  readonly rejects: number
  /** Of other programs. */
  readonly messages: number
  readonly letters: number
}

export interface Grown {
  readonly what: string
  readonly count: number
  /** For each of them, indexes included. */
  readonly bytes: number
}

/** The number of the load of many chunks. */
export const largeLoad = 3
const rejectsOfLoad = 100

const idOf = (number: number): string => `'${loadOf(number, 1).id}'`

interface Copying {
  /** Of the rows, which are `one`. */
  readonly where: string
  /** SQL of the tables whose rows each are copied for; `s.n` is a number, from 1. */
  readonly each: string
  /** SQL of columns that differ. */
  readonly set: Readonly<Record<string, string>>
}

export async function multiply(database: ScaleDatabase, counts: Counts): Promise<readonly Grown[]> {
  const { newId } = database
  const series = (count: number) => database.series(count)
  const load = database.table('load')
  const grown: Grown[] = []
  const grow = async (what: string, kept: Kept, count: number, copying: Copying) => {
    const before = await database.size(kept)
    await copy(database, kept, copying)
    const after = await database.size(kept)
    const bytes = after.table + after.indexes - before.table - before.indexes
    grown.push({ what, count, bytes: bytes / count })
  }
  const loads = (template: number, count: number, more: Readonly<Record<string, string>> = {}) => {
    const source = `'/srv/readings/2026-03-01/sensor-' || ${database.padded(`s.n + ${1_000_000 * (template + 1)}`, 7)} || '.csv'`
    const started_at = database.before('one.started_at', 's.n')
    const set = { id: newId, source, started_at, ...more }
    return { where: `one.id = ${idOf(template)}`, each: series(count), set }
  }
  const large = loadOf(largeLoad, counts.chunks)
  const chunk = `one.load_id = ${idOf(templates.open)}`
  await grow('a load', 'load', counts.loads, loads(templates.complete, counts.loads))
  const several = { chunks: '3', records: `${3 * recordsOfChunk}` }
  await copy(database, 'load', loads(templates.open, counts.openLoads, several))
  const summed = { rejected: `${rejectsOfLoad}`, records: `one.loaded + one.skipped + ${rejectsOfLoad}` }
  await copy(database, 'load', loads(templates.rejects, counts.rejects / rejectsOfLoad, summed))
  const whole = {
    id: `'${large.id}'`,
    source: `'${large.source}'`,
    chunks: `${counts.chunks}`,
    records: `${large.records}`,
  }
  await copy(database, 'load', { ...loads(templates.open, 1), set: whole })
  await grow('a chunk, until its load is folded', 'ledger', counts.chunks, {
    where: chunk,
    each: series(counts.chunks),
    set: { load_id: `'${large.id}'`, key: `'${large.id}/' || (s.n - 1)` },
  })
  await copy(database, 'ledger', {
    where: `${chunk} AND own.chunks = 3`,
    each: `${load} AS own CROSS JOIN ${series(3)}`,
    set: { load_id: 'own.id', key: "own.id || '/' || (s.n - 1)" },
  })
  await grow('a reject, of a record of 34 bytes', 'reject', counts.rejects, {
    where: `one.load_id = ${idOf(templates.rejects)} AND own.rejected = ${rejectsOfLoad}`,
    each: `${load} AS own CROSS JOIN ${series(rejectsOfLoad / rejectsOfTemplate)}`,
    set: { load_id: 'own.id', key: "own.id || '/0'", source: 'own.source' },
  })
  const set = { key: `'message:' || ${newId}` }
  const messages = { where: 'one.load_id IS NULL', each: series(counts.messages), set }
  await grow('the key of a message', 'ledger', counts.messages, messages)
  const letters = { where: 'true', each: series(counts.letters), set }
  await grow('a dead letter of 200 bytes', 'dead_letter', counts.letters, letters)
  await database.tidy()
  return grown
}

async function copy(database: ScaleDatabase, kept: Kept, { where, each, set }: Copying): Promise<void> {
  const table = database.table(kept)
  const [row] = await database.ask(`SELECT * FROM ${table} LIMIT 1`)
  if (row === undefined) throw new Error(`nothing of ${table} to copy`)
  // The database numbers rejects and letters itself.
  const columns = Object.keys(row).filter((name) => name in set || name !== 'id')
  const values = columns.map((name) => set[name] ?? `one.${name}`)
  await database.ask(
    `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM ${table} AS one CROSS JOIN ${each} WHERE ${where}`,
  )
}
