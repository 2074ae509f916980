/** LOAD DATA of rows of the buffer. */
import type { Fault } from '../../core/fault.ts'
import type { Model } from '../../model/model.ts'
import { identifier } from './ddl.ts'
import { type Warning, warningFault } from './errors.ts'
import { format, type LoadRows } from './rows.ts'
import type { Session } from './session.ts'

/** Bytes of a packet; the server keeps room for the largest that it has got. */
const packetBytes = 256 * 1024

/** What a table of rows has besides the columns of the model, as LOAD DATA is told. */
export interface Besides {
  readonly fields?: readonly string[]
  readonly sets?: readonly string[]
}

export interface LoadFault {
  readonly fault: Fault
  /** Number, from 0, of the row, where the server knows it. */
  readonly row: number | undefined
}

/**
 * `bits`: columns that take no text as a bit. LOCAL makes every error of a row a warning: what the server has changed,
 * cut or left out is seen by that, so that the rows count as taken only where there is none.
 */
export function loadData(
  into: string,
  { columns }: Model,
  bits: readonly string[],
  { fields = [], sets = [] }: Besides = {},
): string {
  const targets = columns.map(({ name, type }, index) => {
    const variable = `@v${index}`
    if (type.kind === 'bytes') return [variable, `${identifier(name)} = UNHEX(${variable})`] as const
    if (bits.includes(name)) return [variable, `${identifier(name)} = CAST(${variable} AS UNSIGNED)`] as const
    return [identifier(name), undefined] as const
  })
  const all = [...targets.flatMap(([, set]) => set ?? []), ...sets]
  const list = [...targets.map(([target]) => target), ...fields].join(', ')
  return `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${into} ${format} (${list})${all.length === 0 ? '' : ` SET ${all.join(', ')}`}`
}

/** Returns why not all of the rows were taken; some may be in the table then, and have to be taken back. */
export async function load(
  session: Session,
  sql: string,
  rows: LoadRows,
  start: number,
  end: number,
  columns: readonly string[],
): Promise<LoadFault | undefined> {
  const { changed, warnings } = await session.load(sql, piecesOf(rows.slice(start, end)))
  if (changed === end - start && warnings === 0) return undefined
  const listed = (await session.query('SHOW WARNINGS')) as unknown as readonly Warning[]
  return warningFault(listed, changed, end - start, columns)
}

function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += packetBytes) pieces.push(bytes.subarray(at, at + packetBytes))
  return pieces
}
