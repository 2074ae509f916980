/** Rows of the buffer on their way into a table: by LOAD DATA LOCAL, or by INSERT where the server takes none. */
import type { Model } from '../../model/model.ts'
import { identifier } from './ddl.ts'
import { isLocalRefused, type LoadFault, warningFault } from './errors.ts'
import type { Traits } from './prepare.ts'
import { format, type LoadRows, noTime, valuesOf } from './rows.ts'
import type { Session } from './session.ts'
import { inStatements } from './statements.ts'

/** Bytes of a packet; the server keeps room for the largest that it has got. */
const packetBytes = 256 * 1024

export interface Loading {
  /** The table. */
  readonly into: string
  readonly model: Model
  readonly traits: Pick<Traits, 'bits' | 'counted' | 'stamps'>
  /** Columns of what a row has behind those of the model. */
  readonly fields?: readonly string[]
  /** A column for the number of the row, from 1. */
  readonly number?: string
}

/** Returns why not all of the rows were taken; some may be in the table then, and have to be taken back. */
export async function load(
  session: Session,
  loading: Loading,
  rows: LoadRows,
  start: number,
  end: number,
): Promise<LoadFault | undefined> {
  if (session.takesLocal) {
    try {
      return await loadData(session, loading, rows, start, end)
    } catch (error) {
      if (!isLocalRefused(error)) throw error
      // Switched off since the session began.
      session.takesLocal = false
    }
  }
  return insert(session, loading, rows, start, end)
}

/**
 * LOCAL makes every error of a row a warning: what the server has changed, cut or left out is seen by that, so that the
 * rows count as taken only where there is none.
 */
async function loadData(
  session: Session,
  { into, model, traits: { bits, counted, stamps }, fields = [], number }: Loading,
  rows: LoadRows,
  start: number,
  end: number,
): Promise<LoadFault | undefined> {
  const targets = model.columns.map(({ name, type }, index) => {
    const variable = `@v${index}`
    if (type.kind === 'bytes') return [variable, `${identifier(name)} = UNHEX(${variable})`] as const
    if (bits.includes(name)) return [variable, `${identifier(name)} = CAST(${variable} AS UNSIGNED)`] as const
    // Beside any SET, or with a trigger, the 0 of a plain field becomes the next number (findings/mariadb-load-data-set-numbers-zero.sh).
    if (counted.includes(name)) return [variable, `${identifier(name)} = ${variable}`] as const
    if (stamps.includes(name))
      return [variable, `${identifier(name)} = coalesce(${variable}, ${noTime})`] as const
    return [identifier(name), undefined] as const
  })
  const sets: string[] = targets.flatMap(([, set]) => set ?? [])
  if (number !== undefined) {
    await session.run('SET @lading_row = 0')
    sets.push(`${number} = (@lading_row := @lading_row + 1)`)
  }
  const list = [...targets.map(([target]) => target), ...fields].join(', ')
  const { changed, warnings } = await session.load(
    `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${into} ${format} (${list})${sets.length === 0 ? '' : ` SET ${sets.join(', ')}`}`,
    piecesOf(rows.slice(start, end)),
  )
  if (changed === end - start && warnings === 0) return undefined
  return warningFault(session, changed, end - start, loadedColumns(model))
}

function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += packetBytes) pieces.push(bytes.subarray(at, at + packetBytes))
  return pieces
}

async function insert(
  session: Session,
  { into, model, traits: { bits, stamps }, fields = [], number }: Loading,
  rows: LoadRows,
  start: number,
  end: number,
): Promise<LoadFault | undefined> {
  const own = number === undefined ? fields : [...fields, number]
  const names = [...loadedColumns(model).map(identifier), ...own]
  const beginning = `INSERT INTO ${into} (${names.join(', ')})`
  if (start === end) {
    // Shows whether it can run at all.
    await session.run(`${beginning} SELECT ${names.map(() => 'NULL').join(', ')} FROM DUAL WHERE false`)
    return undefined
  }
  const kinds = model.columns.map(({ name, type }) =>
    type.kind === 'bytes' ? 'bytes' : bits.includes(name) ? 'bit' : stamps.includes(name) ? 'stamp' : 'text',
  )
  const items = valuesOf(rows.slice(start, end), kinds).map(
    (values, index) => `(${values}${number === undefined ? '' : `, ${index + 1}`})`,
  )
  let taken = 0
  for (const values of inStatements(items)) {
    const { changed, warnings } = await session.run(`${beginning} VALUES ${values}`)
    taken += changed
    if (warnings > 0) {
      const { fault } = await warningFault(session, taken, end - start, loadedColumns(model))
      // It is counted within the statement.
      return { fault, row: undefined }
    }
  }
  return taken === end - start ? undefined : warningFault(session, taken, end - start, loadedColumns(model))
}

const loadedColumns = ({ columns }: Model): string[] => columns.map(({ name }) => name)
