import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { load, openQueue, openSink } from 'lading'
import { Folder } from '../cli/run.ts'

it('a program loads files without a model as the documentation shows it', async () => {
  const docs = await readFile(join(import.meta.dirname, '../../docs/models.md'), 'utf8')
  const call = "await load({ paths: ['products.csv'], sink, queue, table: { table: 'products' } })"
  expect(docs).toContain(`const { receipts, decisions } = ${call}`)
  await using folder = await Folder.make({
    'products.csv': 'Sku;Unit Price\nA-1;1,50\nA-2;2,75\n',
    'more.csv': 'sku,unit_price\nA-3,9.90\n',
  })
  await using sink = await openSink(`sqlite:${folder.at('shop.db')}`)
  await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
  const options = { sink, queue, table: { table: 'products' }, statePath: folder.at('state.db') }
  const { receipts, decisions } = await load({
    ...options,
    paths: [folder.at('products.csv')],
    choices: { key: ['sku'] },
  })
  expect(receipts).toMatchObject([{ records: 2, loaded: 2 }])
  expect(decisions).toContain('table products is new: 2 columns')
  const more = {
    ...options,
    paths: [folder.at('more.csv')],
    choices: { key: ['sku'], onConflict: 'update' as const },
  }
  expect((await load(more)).receipts).toMatchObject([{ loaded: 1 }])
  expect(folder.sql('SELECT * FROM products ORDER BY sku', 'shop.db')).toEqual([
    { sku: 'A-1', unit_price: '1.50' },
    { sku: 'A-2', unit_price: '2.75' },
    { sku: 'A-3', unit_price: '9.90' },
  ])
})

it('a header alone does not change the types of an empty table, which Lading made of records', async () => {
  await using folder = await Folder.make({ 'a.csv': 'id,note\n1,x\n', 'empty.csv': 'id,note\n' })
  await folder.lading('load', 'a.csv', '--table', 'items')
  folder.sql('DELETE FROM items')
  const run = await folder.lading('load', 'empty.csv', '--table', 'items')
  expect(run, run.err).toMatchObject({ code: 0 })
  expect(run.err).not.toContain('is new')
  expect(folder.sql("SELECT type FROM pragma_table_info('items')")).toEqual([
    { type: 'INTEGER' },
    { type: 'TEXT' },
  ])
})

it('an empty file makes no table, and is of the table of sensor records where that is there', async () => {
  await using folder = await Folder.make({
    'empty.csv': '',
    'day.csv': 'record_time,sensor_id,value\n2026-01-01T00:00:00Z,3,1.5\n',
  })
  const refused = await folder.lading('load', 'empty.csv')
  expect(refused, refused.err).toMatchObject({ code: 65, out: '' })
  expect(refused.err).toContain('HEADER_MISMATCH: empty.csv has neither a header nor a record')
  expect(folder.sql("SELECT name FROM sqlite_master WHERE name = 'records'")).toEqual([])
  await folder.lading('load', 'day.csv')
  expect(await folder.lading('load', 'empty.csv')).toMatchObject({
    code: 0,
    out: expect.stringContaining('this run loaded 0 records'),
  })
})

it('local times of a new table are instants where their zone is stated', async () => {
  const csv =
    'id,at,kept\n1,2026-06-01 12:00:00,2026-06-01 12:00:00\n2,2026-03-29 02:30:00,2026-03-29 02:30:00\n'
  await using folder = await Folder.make({ 'visits.csv': csv })
  const command = ['load', 'visits.csv', '--zone', 'Europe/Berlin', '--columns', 'kept:timestamp']
  const rehearsed = await folder.lading(...command, '--dry-run')
  expect(rehearsed.out).toContain('visits.csv:3: LOCAL_TIME_MISSING in at')
  expect((await folder.lading(...command)).code).toBe(3)
  expect(folder.sql('SELECT * FROM visits')).toEqual([
    { id: 1, at: '2026-06-01T10:00:00.000000Z', kept: '2026-06-01T12:00:00.000000' },
  ])
})
