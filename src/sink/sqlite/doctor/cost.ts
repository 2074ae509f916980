/**
 * How fast records would go into the table, and what its indexes, foreign keys and triggers take of that. Measured
 * in a file of its own, with the statements that made the table: the database itself would be locked against
 * others all the while. Each round is rolled back, and the file removed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count } from '../../../core/counted.ts'
import { type Cost, type Finding, findingsAbout } from '../../../core/finding.ts'
import { SqliteFile } from '../../../core/sqlite.ts'
import { fastest, leastRows, rateOf, tooFew } from '../../measured.ts'
import { type TableQuestions, withoutChanges } from '../../examination.ts'
import { columnsOf } from '../catalog.ts'
import { identifier } from '../ddl.ts'
import { type ForeignKey, foreignKeysOf } from './foreign-keys.ts'
import { plannedSchema, type Sample, sampleOf, type Schema, schemaOf, Scratch } from './scratch.ts'

const { ok, note } = findingsAbout('table')

const mostRounds = 7
const littleShare = 0.1
const largeShare = 0.3

/** `file`: undefined where there is no database yet. */
export async function costs(
  file: SqliteFile | undefined,
  questions: TableQuestions,
  add: (...found: Finding[]) => void,
): Promise<void> {
  const model = questions.model && withoutChanges(questions.model)
  const { table } = questions.name
  const schema = (file && schemaOf(file, table)) ?? (model && plannedSchema(model))
  if (schema === undefined) return
  const sample = await sampleOf(file, questions, model)
  if (sample === undefined || sample.rows < leastRows) {
    add(tooFew(sample?.rows ?? 0))
    return
  }
  const keys = file === undefined ? [] : keysToMeasure(file, table, sample)
  const folder = mkdtempSync(join(tmpdir(), 'lading-doctor-'))
  try {
    using scratch = new SqliteFile(join(folder, 'scratch.db'))
    add(...measure(new Scratch(scratch, table, schema, sample), schema, keys, questions))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** All or none, because once they are checked, all are. What rows or a default refer to has to be in the sample. */
function keysToMeasure(file: SqliteFile, table: string, { columns }: Sample): readonly ForeignKey[] {
  const keys = foreignKeysOf(file, table)
  const isGiven = (name: string) => columns.some((each) => each.toLowerCase() === name.toLowerCase())
  const defaults = columnsOf(file, { table }).filter(
    ({ name, dflt_value }) => dflt_value !== null && !isGiven(name),
  )
  const isLost = ({ parent, columns: own }: ForeignKey) =>
    parent.toLowerCase() === table.toLowerCase() ||
    defaults.some(({ name }) => own.some((each) => each.toLowerCase() === name.toLowerCase()))
  return keys.some(isLost) ? [] : keys
}

interface Part {
  readonly what: string
  readonly isIndex: boolean
  readonly before: readonly string[]
  readonly keys: readonly ForeignKey[]
  readonly advice: string
}

function* measure(
  scratch: Scratch,
  schema: Schema,
  keys: readonly ForeignKey[],
  { withTriggers, measureMs }: TableQuestions,
): Generator<Finding> {
  const { sample } = scratch
  const parts: readonly Part[] = [
    ...schema.indexes.map(({ name: index, sql }): Part => ({
      what: `index ${index}`,
      isIndex: true,
      before: [sql],
      keys: [],
      advice: 'drop it before a large load, build it afterwards',
    })),
    // Once they are checked, all are.
    ...(keys.length === 0
      ? []
      : [
          {
            what: keys
              .map(({ columns, parent }) => `foreign key (${columns.join(', ')}) to ${parent}`)
              .join(', '),
            isIndex: false,
            before: [],
            keys,
            advice: '',
          },
        ]),
    ...(withTriggers
      ? schema.triggers.map((trigger): Part => ({
          what: `trigger ${trigger.name}`,
          isIndex: false,
          before: [...schema.others, trigger.sql],
          keys: [],
          advice: '',
        }))
      : []),
  ]
  const bare: number[] = []
  const times = parts.map((): number[] => [])
  const whole: number[] = []
  const before = schema.indexes.map(({ sql }) => sql)
  const deadline = performance.now() + measureMs
  scratch.time([])
  for (let round = 0; round < mostRounds && (round === 0 || performance.now() < deadline); round++) {
    bare.push(scratch.time([]))
    for (const [n, part] of parts.entries()) times[n]?.push(scratch.time(part.before, part.keys))
    whole.push(scratch.time(before, keys))
  }
  const perThousand = (ms: number) => (ms * 1000) / sample.rows
  const base = fastest(bare)
  const added = times.map((each) => Math.max(0, fastest(each) - base))
  const total = Math.max(
    fastest(whole),
    added.reduce((sum, ms) => sum + ms, base),
  )
  const listed = parts.map((part, n): Cost & { readonly part: Part } => {
    const ms = added[n] ?? 0
    const share = ms / total
    const advice = part.advice !== '' && share >= littleShare ? part.advice : undefined
    return { part, what: part.what, msPer1000: perThousand(ms), share, advice }
  })
  const decoding = sample.decodedMs === undefined ? undefined : perThousand(sample.decodedMs)
  const rate = rateOf(Math.max(perThousand(total), decoding ?? 0))
  const ofWhat =
    decoding === undefined
      ? `${count(sample.rows)} rows of the table`
      : `the first ${count(sample.rows)} records of the file`
  yield {
    ...ok(
      'speed',
      `about ${count(rate)} records/s: ${perThousand(total).toFixed(1)} ms in the database for 1,000 records${decoding === undefined ? '' : `, ${decoding.toFixed(1)} ms to decode them`} (measured with ${ofWhat}, in an empty file of its own, rolled back; a large table takes longer)`,
    ),
    costs: [
      { what: 'the rows themselves, with their keys', msPer1000: perThousand(base), share: base / total },
      ...listed.map(({ what, msPer1000, share, advice }) => ({ what, msPer1000, share, advice })),
    ].toSorted((a, b) => b.msPer1000 - a.msPer1000),
  }
  if (scratch.refused > 0 && decoding !== undefined)
    yield note(
      'keys',
      `${count(scratch.refused)} of the first ${count(sample.rows)} records have a key that another one has, or are refused by a constraint`,
    )
  const dear = listed.filter(({ part, share }) => part.isIndex && share >= littleShare)
  if (dear.reduce((sum, { share }) => sum + share, 0) >= largeShare)
    yield note(
      'indexes',
      'for a load that is large beside the table, drop them and build them afterwards',
      [
        ...dear.map(({ what }) => `DROP INDEX ${identifier(what.slice('index '.length))};`),
        ...dear.flatMap(({ part }) => part.before.map((sql) => `${sql};`)),
      ].join('\n'),
    )
  if (!withTriggers && schema.triggers.length > 0)
    yield note(
      'triggers',
      `${schema.triggers.map((each) => each.name).join(', ')} not measured`,
      'lading doctor … --with-triggers',
    )
}
