/** A load that was begun is not gone on with in another reading, and what is another one is named. */
import { expect, it } from 'vitest'
import type { Layout } from '../../src/core/load.ts'
import { defineModel, text } from '../../src/index.ts'
import { requireSamePlan } from '../../src/producer/changed.ts'
import { type Plan, planSource } from '../../src/producer/plan.ts'
import { readAs, type ReadingOptions } from '../../src/producer/reading.ts'
import { readingOptions } from '../../src/cli/settings/reading.ts'
import { sourceOf } from '../support/inferred.ts'

const model = defineModel({ table: 't', columns: { a: text(), b: text() } })
const csv = 'a,b\na,b\n"ü",2\n'
const ndjson = '{"a":{"a":1,"b":2}}\n'

async function planned(content: string, options: ReadingOptions = {}): Promise<Plan> {
  const source = await readAs(sourceOf(Buffer.from(content)), options)
  return planSource(source, { model, ignoreExtra: true, chunkBytes: 1000 }, () => undefined)
}

const begun = (plan: Plan) => ({ ...plan, id: 'id', path: 'file' })

/** By option: the reading that says it. */
const cases: Readonly<Record<string, ReadingOptions>> = {
  delimiter: { dialect: { delimiter: ';', header: false } },
  quote: { dialect: { quote: '' } },
  multiline: { dialect: { multiline: false } },
  escape: { dialect: { escape: '\\' } },
  comment: { dialect: { comment: '#' } },
  trim: { dialect: { trim: true } },
  ragged: { dialect: { ragged: 'pad' } },
  'skip-lines': { dialect: { skipLines: 1 } },
  'header-rows': { dialect: { headerRows: 2, names: ['a', 'b'] } },
  header: { dialect: { header: false } },
  null: { notation: { nulls: ['NA'] } },
  decimal: { notation: { decimal: ',' } },
  thousands: { notation: { thousands: ' ' } },
  money: { notation: { money: true } },
  'date-format': { notation: { pattern: 'DD.MM.YYYY' } },
  round: { notation: { round: true } },
  'blank-lines': { dialect: { blankLines: 'skip' } },
  'excel-text': { notation: { excelText: true } },
  'skip-when': { skipWhen: { a: 'x' } },
}

it.each(Object.entries(cases))('--%s is named where a load was begun without it', async (option, reading) => {
  const [first, second] = [await planned(csv), await planned(csv, reading)]
  expect(second.sha256).toBe(first.sha256)
  const name = option === 'header' ? /--header-rows or the header/ : new RegExp(`--${option}\\b`)
  expect(() => requireSamePlan(begun(first), second, undefined)).toThrow(name)
  expect(() => requireSamePlan(begun(first), first, undefined)).not.toThrow()
})

it('an option of JSON, of one field, of the table or another format is named, too', async () => {
  const lines = { format: 'ndjson', records: 'a' }
  const first = await planned(ndjson, lines)
  const changes = (now: Plan, then = first) => {
    try {
      requireSamePlan(begun(then), now, undefined)
      return ''
    } catch (error) {
      return (error as Error).message.replace(/.*: /, '')
    }
  }
  expect(changes(await planned(ndjson, { format: 'ndjson' }))).toBe('--records ("a" then, not given now)')
  expect(changes(await planned(ndjson, { ...lines, unwrap: ['debezium'] }))).toContain('--unwrap')
  expect(changes(await planned(ndjson, { ...lines, notations: { a: { epoch: 's' } } }))).toBe(
    '--date-format of a',
  )
  expect(changes(first, await planned(csv))).toBe('--format (csv then, ndjson now)')
  const ofTable = { ...first, layout: { ...first.layout, ofTable: { key: ['a'] } } satisfies Layout }
  expect(changes(first, ofTable)).toContain('--key')
  expect(changes({ ...first, model: 'x' })).toBe('the model')
})

it('an option that changes the text makes another load', async () => {
  const { sha256 } = await planned(csv)
  for (const reading of [{ encoding: 'windows-1252' }, { footerLines: 1 }])
    expect((await planned(csv, reading)).sha256).not.toBe(sha256)
  const ofText = ['encoding', 'footer-lines', 'line-end']
  const names = readingOptions().map(({ long }) => (long ?? '').replace(/^--(no-)?/, ''))
  const others = ['format', 'records', 'unwrap', ...ofText]
  expect([...new Set(names)].toSorted()).toEqual([...Object.keys(cases), ...others].toSorted())
})
