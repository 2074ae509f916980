/**
 * `npm run bench -- --scale`: how large a ledger grows, what is read of it, and what a distance to the database costs. Prints the tables of
 * docs/scale.md; sizes and pages are the same on every machine, times are not.
 */
import { join } from 'node:path'
import { Context } from '../context.ts'
import { serverCpuSeconds } from '../memory.ts'
import type { BenchOptions } from '../options.ts'
import { whole } from '../report.ts'
import { postgres, type ScaleDatabase, sqlite } from './database.ts'
import { distances } from './distance.ts'
import { fileSizes } from './files.ts'
import { type Counts, multiply } from './multiply.ts'
import { answers } from './questions.ts'
import { writeTemplates } from './rows.ts'

/** Rejects, unless `--records` says otherwise; the rest in proportion. */
const rejects = 1_000_000

export async function scale(options: BenchOptions): Promise<void> {
  await using context = new Context(options)
  const server = await context.postgres()
  const { temporary } = context
  console.log(
    `PostgreSQL ${server.version}, SQLite ${process.versions.sqlite}, Node ${process.versions.node}`,
  )
  const counts = countsOf(options.records ?? rejects)
  for (const database of [await postgres(server.url), sqlite(join(temporary, 'scale.db'))]) {
    await using each = database
    await printLedger(each, counts, options.rounds, () => serverCpuSeconds(server.pid()))
  }
  print(
    'Beside the ledger',
    ['what', 'bytes'],
    (await fileSizes(temporary, server.url)).map(({ what, bytes }) => [what, shown(bytes)]),
  )
  const {
    records,
    batches,
    walOfRecord,
    distances: far,
  } = await distances(temporary, server.url, options.rounds)
  print(
    `${whole(records)} records in ${batches} batches, one consumer, ${walOfRecord.toFixed(0)} bytes of WAL for each record`,
    ['round trip, ms', 'measured, s', 'foretold, s', 'measured / foretold', 'round trips for each batch'],
    far.map((each) => [
      `${each.roundTripMs}`,
      each.seconds.toFixed(2),
      each.foretold.toFixed(2),
      (each.seconds / each.foretold).toFixed(2),
      each.perBatch.toFixed(2),
    ]),
  )
}

const countsOf = (all: number): Counts => ({
  loads: all / 10,
  openLoads: all / 10,
  chunks: Math.round(all / 30),
  rejects: all,
  messages: all,
  letters: all / 100,
})

async function printLedger(
  database: ScaleDatabase,
  counts: Counts,
  rounds: number,
  cpu: () => number | undefined,
): Promise<void> {
  const { name } = database
  {
    await using sink = await database.open()
    await writeTemplates(sink)
  }
  const grown = await multiply(database, counts)
  const { loads, messages, openLoads } = counts
  print(
    `${name}: rows with their indexes`,
    ['what', 'how many', 'bytes of each'],
    grown.map(({ what, count, bytes }) => [what, whole(count), shown(bytes)]),
  )
  print(
    `${name}: questions to ${whole(loads)} loads, ${whole(counts.rejects)} rejects and ${whole(messages)} keys of messages`,
    ['question', 'pages', 'rows read one after the other', 'ms'],
    (await answers(database, rounds)).map(({ name: question, pages, scanned, ms }) => [
      question,
      pages === undefined ? '-' : whole(pages),
      pages === undefined ? '-' : listed(scanned),
      shown(ms),
    ]),
  )
  const folded = await fold(database, counts, cpu)
  print(
    `${name}: folding ${whole(openLoads)} loads of three chunks`,
    ['CPU ms of the server for each', 'bytes of each load before', 'behind', 'tidied'],
    [folded.map((each) => (each === undefined ? '-' : shown(each)))],
  )
}

/** As consumers do: 500 loads in one transaction. */
async function fold(database: ScaleDatabase, { openLoads }: Counts, cpu: () => number | undefined) {
  const ids = (
    await database.ask(`SELECT id FROM ${database.table('load')} WHERE chunks = 3 AND NOT complete`)
  ).map(({ id }) => String(id))
  const bytes = async () => {
    const { table, indexes } = await database.size('load')
    const [row] = await database.ask(`SELECT count(*) AS loads FROM ${database.table('load')}`)
    return (table + indexes) / Number(row?.['loads'])
  }
  const before = await bytes()
  const begun = cpu()
  await using sink = await database.open()
  await sink.ledger.fold(ids)
  const ended = cpu()
  const behind = await bytes()
  await database.tidy()
  const ms =
    begun === undefined || ended === undefined || database.name === 'SQLite'
      ? undefined
      : ((ended - begun) * 1000) / Math.min(openLoads, ids.length)
  return [ms, before, behind, await bytes()]
}

const listed = (scanned: Readonly<Record<string, number>>): string =>
  Object.entries(scanned)
    .map(([table, rows]) => `${table} ${whole(rows)}`)
    .join(', ') || 'none'

const shown = (value: number): string => (value < 10 ? value.toFixed(2) : whole(value))

function print(title: string, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  console.log(
    [`\n**${title}**\n`, line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n'),
  )
}
