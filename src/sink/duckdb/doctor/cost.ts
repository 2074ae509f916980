/** How fast records would go into the table: measured in memory, with a table as a load would make it. */
import { count } from '../../../core/counted.ts'
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import { fastest, leastRows, rateOf, tooFew } from '../../measured.ts'
import { type TableQuestions, withoutChanges } from '../../examination.ts'
import { createTable, identifiers } from '../ddl.ts'
import { DuckdbFile, inMemory } from '../file.ts'
import { ColumnRows } from '../rows.ts'
import type { Session } from '../session.ts'
import { stage, stageRows } from '../stage.ts'

const { ok, note } = findingsAbout('table')

const mostRounds = 7

export async function costs(
  questions: TableQuestions,
  add: (...found: readonly Finding[]) => void,
): Promise<void> {
  const { sample, model: given } = questions
  if (given === undefined || sample === undefined) return
  const model = withoutChanges(given)
  const rows = new ColumnRows(model)
  const decoding = (await sample(rows)) * (1000 / Math.max(1, rows.rows))
  if (rows.rows < leastRows) {
    add(tooFew(rows.rows))
    return
  }
  const keyless = {
    ...model,
    primaryKey: [],
    columns: model.columns.map((column) => ({ ...column, fallback: undefined })),
  }
  const file = DuckdbFile.at(inMemory)
  try {
    const [bare, whole, kept] = await file.use(async (session) => {
      await stageRows(session, rows, [{ start: 0, end: rows.rows }])
      const names = identifiers(model.columns.map(({ name }) => name))
      const values = model.columns.map((_, index) => `c${index}`).join(', ')
      // Of records that share a key all are but one: a load decides which.
      const insert = `INSERT OR IGNORE INTO sample (${names}) SELECT ${values} FROM ${stage}`
      const own =
        model.primaryKey.length === 0
          ? undefined
          : createTable(session.catalog, {
              ...keyless,
              primaryKey: model.primaryKey,
              table: 'sample',
              schema: undefined,
            })
      const plain = createTable(session.catalog, { ...keyless, table: 'sample', schema: undefined })
      const withoutKey = await timesOf(
        session,
        plain,
        insert.replace(' OR IGNORE', ''),
        questions.measureMs / 2,
      )
      if (own === undefined) return [withoutKey.ms, withoutKey.ms, withoutKey.rows]
      const withKey = await timesOf(session, own, insert, questions.measureMs / 2)
      return [withoutKey.ms, withKey.ms, withKey.rows]
    })
    const perThousand = (ms: number) => (ms * 1000) / rows.rows
    const total = Math.max(bare, whole)
    const rate = rateOf(Math.max(perThousand(total), decoding))
    add({
      ...ok(
        'speed',
        `about ${count(rate)} records/s: ${perThousand(total).toFixed(1)} ms in the database for 1,000 records, ${decoding.toFixed(1)} ms to decode them (measured with the first ${count(rows.rows)} records of the file, in memory; a large table takes longer)`,
      ),
      costs: [
        { what: 'the rows themselves', msPer1000: perThousand(bare), share: bare / total },
        ...(whole > bare
          ? [
              {
                what: 'their primary key',
                msPer1000: perThousand(whole - bare),
                share: (whole - bare) / total,
              },
            ]
          : []),
      ],
    })
    if (kept < rows.rows)
      add(
        note(
          'keys',
          `${count(rows.rows - kept)} of the first ${count(rows.rows)} records have a key that another one has`,
        ),
      )
  } finally {
    await file.release()
  }
}

async function timesOf(session: Session, create: string, insert: string, ms: number) {
  const times: number[] = []
  let rows = 0
  const deadline = performance.now() + ms
  for (let round = 0; round < mostRounds && (round === 0 || performance.now() < deadline); round++) {
    await session.exec(create)
    const since = performance.now()
    rows = await session.run(insert)
    times.push(performance.now() - since)
    await session.exec('DROP TABLE sample')
  }
  return { ms: fastest(times), rows }
}
