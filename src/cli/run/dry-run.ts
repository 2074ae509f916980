/** `load --dry-run`: what a load would do, and nothing written. */
import { codes, exits } from '../../core/errors.ts'
import type { Rehearsal } from '../../load/dry-run.ts'
import { isMasked, type Model, tableName } from '../../model/model.ts'
import { count, counted, print, table, visible } from '../terminal/output.ts'

export function printOutcomes(outcomes: readonly Rehearsal[], model: Model): void {
  const rows = outcomes.map(({ source, records, wouldLoad, rejected, filtered, known = '' }) => [
    source,
    records,
    wouldLoad,
    rejected,
    filtered,
    known,
  ])
  const columns = ['source', 'records', 'would load', 'rejected', 'left out', '']
  for (const line of table(columns, rows)) print(line.trimEnd())
  for (const { source, rejects, rejected } of outcomes) {
    for (const { line, code, column, detail } of rejects) {
      const where = column === undefined ? '' : ` in ${visible(column)}`
      // A detail quotes the value.
      const why = isMasked(model) ? codes[code].meaning : visible(detail)
      print(`  ${visible(source)}:${line}: ${code}${where}: ${why}`)
    }
    if (rejected > rejects.length) print(`  and ${count(rejected - rejects.length)} more`)
  }
  const records = outcomes.reduce((sum, { wouldLoad }) => sum + wouldLoad, 0)
  print(
    `nothing was written: ${counted(records, 'record')} would go to table ${visible(tableName(model))}, unless the database refuses some`,
  )
}

export const dryRunExit = (outcomes: readonly Rehearsal[], allowsRejects: boolean): number =>
  outcomes.some(({ rejected }) => rejected > 0) && !allowsRejects ? exits.rejects : exits.ok
