/**
 * Creates what is missing of the ledger, a model's table and its indexes, and checks that what exists fits.
 */
import { LadingError } from '../../core/errors.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import type { Prepared } from '../sink.ts'
import { requireFit } from '../table.ts'
import { isKeyless, isThere, orderProblems, problemsOf, refusingNull } from './catalog.ts'
import { makeTable, remakeTable } from './made.ts'
import { migrations } from './schema.ts'

/** The version has a table of its own: the file's user_version belongs to the owner of the target tables. */
export function prepareLedger(file: SqliteFile): void {
  if (ledgerVersion(file) === migrations.length) return
  file.transaction(() => {
    const version = ledgerVersion(file)
    if (version > migrations.length) {
      throw new LadingError(
        'LEDGER_NEWER',
        `the ledger has version ${version}, this lading knows ${migrations.length}`,
      )
    }
    file.exec('CREATE TABLE IF NOT EXISTS lading_migration (version INTEGER PRIMARY KEY) STRICT')
    for (const [index, step] of migrations.entries()) {
      if (index >= version) file.exec(`${step}; INSERT INTO lading_migration VALUES (${index + 1})`)
    }
  })
}

export function ledgerVersion(file: SqliteFile): number {
  const table = file.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'lading_migration'")
  if (table === undefined) return 0
  return (
    file.get<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM lading_migration')
      ?.version ?? 0
  )
}

export function prepareTable(file: SqliteFile, model: Model): Omit<Prepared, 'deferred'> {
  const remade = file.transaction(() => {
    if (isThere(file, model)) return remakeTable(file, model)
    requireFit(model, [...orderProblems(model)])
    makeTable(file, model)
    return false
  })
  requireFit(model, [...problemsOf(file, model)])
  return {
    remade,
    keyless: isKeyless(file, model),
    notNull: refusingNull(file, model),
  }
}
