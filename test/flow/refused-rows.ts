/** A file of 2,000 records of which the database refuses one, and what must become of it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { load } from '../../src/load/load.ts'
import { type Column, integer, text } from '../../src/model/columns.ts'
import { type ConflictPolicy, defineModel, type Model } from '../../src/model/model.ts'
import { balance } from '../../src/sink/receipt.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Receipt, StoredReject } from '../../src/sink/ledger.ts'
import type { Fixture } from '../support/fixture.ts'

export const records = 2_000
/** Of the record that is refused; its line is the next, because of the header. */
export const badNumber = 1_234
const dialect = { delimiter: ';', quote: '"', header: true }

export const itemsOf = (note: Column = text(), onConflict: ConflictPolicy = 'error'): Model =>
  defineModel({ table: 'items', columns: { id: integer().notNull(), note }, primaryKey: ['id'], onConflict })

/** One file, and what its reject must say. */
export interface Case {
  readonly name: string
  readonly good: string
  readonly bad: string
  readonly code?: string
  readonly column?: string
}

/** Records with the ids from `first` on. */
export async function fileOf(fixture: Fixture, { name, good, bad }: Case, first = 1): Promise<string> {
  const path = join(fixture.folder, `${name}.csv`)
  const lines = Array.from(
    { length: records },
    (_, index) => `${first + index};${index + 1 === badNumber ? bad : good}\n`,
  )
  await writeFile(path, `id;note\n${lines.join('')}`)
  return path
}

export const producing = (fixture: Fixture, queue: Queue, paths: readonly string[], model: Model) =>
  fixture.producing(queue, paths, { model, dialect })

/**
 * Loads a file for each case, a batch for each file: 1,999 records are loaded, or skipped by the conflict
 * policy, and the other one is a reject with its place.
 */
export async function expectOneReject(
  fixture: Fixture,
  model: Model,
  cases: readonly Case[],
  skipped = 0,
): Promise<void> {
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const paths = await Promise.all(cases.map((each, index) => fileOf(fixture, each, 1 + index * records)))
  const { receipts } = await load({
    ...producing(fixture, queue, paths, model),
    sink,
    deferIndexes: 'never',
    batch: { messages: 1 },
  })
  for (const { name, code = expect.anything(), column, bad } of cases) {
    const receipt = receipts.find(({ source }) => source === `${name}.csv`) as Receipt
    expect(receipt, name).toMatchObject({
      records,
      loaded: records - 1 - skipped,
      rejected: 1,
      skipped,
      dead: 0,
    })
    expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    const own = await sink.ledger.rejects({ loadId: receipt.loadId, limit: 10 })
    expect(own, name).toMatchObject([{ record: badNumber, line: badNumber + 1, code, column }])
    expectPlace(own[0] as StoredReject, bad)
  }
}

/** The place within the record follows from the column. */
function expectPlace({ raw, span, column }: StoredReject, bad: string): void {
  expect(Buffer.from(raw).toString().split(';')).toEqual([expect.stringMatching(/^\d+$/), bad])
  expect(span && Buffer.from(raw.subarray(span.start, span.end)).toString()).toBe(
    column === undefined ? undefined : bad,
  )
}
