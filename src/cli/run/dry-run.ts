/** `load --dry-run`: what a load would do, and nothing written. */
import { existsSync } from 'node:fs'
import { codes, exits } from '../../core/errors.ts'
import type { Outcome } from '../../infer/decoded.ts'
import type { UnmodelledOptions } from '../../load/unmodelled-options.ts'
import { isMasked, type Model, tableName } from '../../model/model.ts'
import { openSink, placeOfSink } from '../../sink/registry.ts'
import { count, counted, print, table, visible } from '../terminal/output.ts'

type Tables = UnmodelledOptions['sink'] & AsyncDisposable

/** The tables of a database; a file that is not there has none, and is not made. */
export async function tablesOf(url: string): Promise<Tables> {
  const { file } = placeOfSink(url)
  if (file === undefined || existsSync(file)) return await openSink(url)
  return {
    table: async () => undefined,
    prepare: async () => ({ deferred: false }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

export function printOutcomes(outcomes: readonly Outcome[], model: Model): void {
  const rows = outcomes.map(({ source, records, rejected }) => [
    source,
    records,
    records - rejected,
    rejected,
  ])
  for (const line of table(['source', 'records', 'would load', 'rejected'], rows)) print(line)
  for (const { source, rejects, rejected } of outcomes) {
    for (const { line, code, column, detail } of rejects) {
      const where = column === undefined ? '' : ` in ${visible(column)}`
      // A detail quotes the value.
      const why = isMasked(model) ? codes[code].meaning : visible(detail)
      print(`  ${visible(source)}:${line}: ${code}${where}: ${why}`)
    }
    if (rejected > rejects.length) print(`  and ${count(rejected - rejects.length)} more`)
  }
  const records = outcomes.reduce((sum, each) => sum + each.records - each.rejected, 0)
  print(
    `nothing was written: ${counted(records, 'record')} would go to table ${visible(tableName(model))}, unless the database refuses some`,
  )
}

export const dryRunExit = (outcomes: readonly Outcome[], allowsRejects: boolean): number =>
  outcomes.some(({ rejected }) => rejected > 0) && !allowsRejects ? exits.rejects : exits.ok
