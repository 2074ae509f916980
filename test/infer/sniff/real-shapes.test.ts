/** Files in the shapes of real exports: read right with nothing stated, or asked about with the option that cures it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Reading } from '../../../src/format/reading.ts'
import { readInferred, sniffed } from '../../support/inferred.ts'

interface Right {
  readonly fields: readonly string[]
  readonly records: readonly (readonly string[])[]
  /** Lines that are no records, and kept as rejects; empty lines among them. */
  readonly rejects?: number
  /** The first option of each question that must be answered, and what is stated then. */
  readonly cures?: readonly string[]
  readonly stated?: Reading
}

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'real-shapes')
const names = readdirSync(folder).filter((name) => !name.endsWith('.json'))

it.each(names)('%s', async (name) => {
  const bytes = readFileSync(join(folder, name))
  const right = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Right
  const open = sniffed(bytes).questions.filter(({ otherwise }) => otherwise === undefined)
  expect(open.map(({ readings }) => readings[0]?.option)).toEqual(right.cures ?? [])
  const { fields, records, rejects } = await readInferred(bytes, right.stated)
  expect({ fields, records, rejects }).toEqual({
    fields: right.fields,
    records: right.records,
    rejects: right.rejects ?? 0,
  })
})
