/** Creates what is missing of the ledger, a model's table and its indexes, and checks that what exists fits. */
import { LadingError } from '../../core/errors.ts'
import type { Model } from '../../model/model.ts'
import { sql } from '../sql/statement.ts'
import type { Prepared } from '../sink.ts'
import { requireFit, requireOwn } from '../table.ts'
import { catalogOf, kindOf } from './catalog.ts'
import { isKeyless, orderProblems, problemsOf, refusingNull } from './fit.ts'
import { makeTable, remakeTable } from './made.ts'
import { migrations, ownerOf } from './schema.ts'
import type { Session } from './session.ts'
import { forgetTargets } from './target.ts'

export async function prepareLedger(session: Session): Promise<void> {
  const version = await ledgerVersion(session)
  if (version === migrations.length) return
  if (version > migrations.length)
    throw new LadingError(
      'LEDGER_NEWER',
      `the ledger has version ${version}, this lading knows ${migrations.length}`,
    )
  await session.transaction(async () => {
    await session.exec('CREATE TABLE IF NOT EXISTS lading_migration (version BIGINT PRIMARY KEY)')
    for (const [index, step] of migrations.entries())
      if (index >= version) await session.exec(`${step}; INSERT INTO lading_migration VALUES (${index + 1})`)
  })
}

/** 0 where there is none. */
export async function ledgerVersion(session: Session): Promise<number> {
  if ((await kindOf(session, { table: 'lading_migration' })) === undefined) return 0
  const [row] = await session.all(sql`SELECT coalesce(max(version), 0) AS version FROM lading_migration`)
  return Number(row?.['version'])
}

export async function prepareTable(session: Session, model: Model): Promise<Omit<Prepared, 'deferred'>> {
  requireOwn(
    model,
    model.schema === undefined || model.schema.toLowerCase() === 'main' ? ownerOf(model.table) : undefined,
  )
  const remade = await session.transaction(async () => {
    if ((await kindOf(session, model)) !== undefined) return await remakeTable(session, model)
    requireFit(model, [...orderProblems(model)])
    await makeTable(session, model)
    return false
  })
  forgetTargets(session)
  const catalog = await catalogOf(session, model)
  requireFit(model, [...problemsOf(model, catalog)])
  return {
    remade,
    keyless: catalog !== undefined && isKeyless(model, catalog),
    notNull: catalog === undefined ? [] : refusingNull(model, catalog),
  }
}
