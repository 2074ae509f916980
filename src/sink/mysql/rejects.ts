import type { Reject } from '../../core/fault.ts'
import type { Part } from '../sink.ts'
import { storable } from '../storable.ts'
import { literal } from './literal.ts'
import type { Session } from './session.ts'
import { inStatements } from './statements.ts'

/** Keeps the records of parts that were refused. */
export async function insertRejects(
  session: Session,
  pipeline: string,
  rejects: readonly (readonly [Part, Reject])[],
): Promise<void> {
  const rows = rejects.map(([part, reject]) => rowOf(pipeline, part, reject))
  for (const values of inStatements(rows))
    await session.run(
      `INSERT INTO lading_reject (pipeline, "key", load_id, record, line, byte, source, column_name, code, detail, raw, masked, span_start, span_end)
       VALUES ${values}`,
    )
}

function rowOf(pipeline: string, { key, load }: Part, reject: Reject): string {
  const { record, line, byte, source, column, code, detail, raw, masked, span } = reject
  const values = [
    pipeline,
    key,
    load?.id ?? null,
    record,
    line,
    byte,
    storable(source),
    column === undefined ? null : storable(column),
    code,
    storable(detail),
    raw,
    masked === undefined ? null : JSON.stringify(masked),
    span?.start ?? null,
    span?.end ?? null,
  ]
  return `(${values.map(literal).join(', ')})`
}
