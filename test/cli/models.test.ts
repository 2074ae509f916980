import { describe, expect, it } from 'vitest'
import { expectError, Folder, records, library } from './run.ts'

const orders = `
import { defineModel } from '${library}'
import { date, integer, numeric, text } from '${library}'
export default defineModel({
  table: 'orders',
  columns: {
    id: integer().notNull().from('Order No'),
    customer: text().notNull().transform((name: string) => name.trim().toUpperCase()),
    total: numeric(10, 2).nullIf('n/a'),
    currency: text().notNull().default('TWD'),
    day: date(),
  },
})`

const csv =
  'Order No,customer,total,day\n1," ada ",12.50,2024-02-29\n2,bob,n/a,\n3,eve,1.005,2024-01-01\n4,kim,1,2023-02-29\n'

describe.concurrent('a model of the user', () => {
  it('in a TypeScript file of another folder decides what a record is', async () => {
    await using folder = await Folder.make({ 'models/orders.ts': orders, 'in/orders.csv': csv })
    const run = await folder.lading('load', 'in', '--model', 'models/orders.ts')
    expect(run.code, run.err).toBe(3)
    expect(folder.sql('SELECT * FROM orders ORDER BY id')).toEqual([
      { id: 1, customer: 'ADA', total: '12.50', currency: 'TWD', day: '2024-02-29' },
      { id: 2, customer: 'BOB', total: null, currency: 'TWD', day: null },
    ])
    const rejects = await folder.json('rejects', 'list')
    expect(rejects).toMatchObject([
      { line: 4, column: 'total' },
      { line: 5, column: 'day', code: 'BAD_DATE' },
    ])
    // The processes of consumers find it as well.
    const again = await folder.lading(
      'load',
      'in',
      '--model',
      'models/orders.ts',
      '--again',
      '--consumers',
      '2',
      '--allow-rejects',
    )
    expect(again.code, again.err).toBe(0)
    expect(folder.rows('orders')).toBe(4)
  })

  it.each([
    ['nomodel', '', 'there is no model nomodel; there is records'],
    ['./nothere.ts', '', 'there is no file ./nothere.ts'],
    ['./m.ts', 'throw new Error("boom\\nand more")', './m.ts:1:7: boom'],
    ['./m.ts', 'throw null', './m.ts: it threw null'],
    ['./m.ts', 'export const x = 1', 'exports no model: export default defineModel'],
    ['./m.ts', '\nexport const x = = 1', './m.ts:2:18: Expression expected'],
    ['./m.mjs', '\nexport const x = = 1', './m.mjs:2:18: Unexpected token'],
    ['./m.ts', `import { txt } from '${library}'`, './m.ts:1:10: .* named .txt.'],
    ['./m.ts', orders.replace('.notNull()', '.notnull()'), './m.ts:7:19: .*did you mean .notNull()'],
    [
      './m.ts',
      orders.replace("table: 'orders'", "tabel: 'orders'"),
      './m.ts:4:16: .*there is no option tabel .did you mean table',
    ],
    ['./m.ts', "import './gone.ts'", 'gone.ts'],
    ['./m.ts', orders.replace("table: 'orders'", "table: ''"), 'not a usable name'],
  ])('%s that cannot be used is refused with the reason (%#)', async (name, content, reason) => {
    await using folder = await Folder.make({
      'a.csv': records(1),
      ...(content === '' ? {} : { [name]: content }),
    })
    expectError(
      await folder.lading('load', 'a.csv', '--model', name),
      'MODEL_INVALID',
      78,
      new RegExp(reason),
    )
  })
  it('that was wrong is corrected and loaded, whatever the first try has left', async () => {
    const wrong = orders.replace('total: numeric(10, 2)', 'total: integer()')
    await using folder = await Folder.make({
      'orders.mts': wrong,
      'in/orders.csv': csv.replace('Order No', 'id'),
    })
    const load = () => folder.lading('load', 'in', '--model', './orders.mts', '--again', '--allow-rejects')
    expectError(await load(), 'HEADER_MISMATCH', 65)
    await folder.write('in/orders.csv', csv.replaceAll('n/a', 'none').replace('2024-02-29', '2024-02-30'))
    expect((await load()).code).toBe(0)
    expect(folder.rows('orders')).toBe(0)
    await folder.write('in/orders.csv', csv)
    await folder.write('orders.mts', orders)
    const run = await load()
    expect([run.code, folder.rows('orders')], run.err).toEqual([0, 2])
    expect(run.err).toContain(
      'table orders was empty and made by lading for another model, so it was made again',
    )
  })
})
