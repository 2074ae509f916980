/** Fields that are called like what every object inherits are fields, and nothing else. */
import { expect, it } from 'vitest'
import { decodeRecord, defineModel, integer, text } from '../../src/index.ts'
import { Folder } from '../cli/run.ts'

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']

it.each([
  ['a.csv', `id,${names.join(',')}\n1,${names.map((name) => `of ${name}`).join(',')}\n`],
  ['a.ndjson', `{"id":1,${names.map((name) => `"${name}":"of ${name}"`).join(',')}}\n`],
])('in %s they become columns with their values', async (file, content) => {
  await using folder = await Folder.make({ [file]: content })
  const { code, err } = await folder.lading('load', file, '--table', 'all_names')
  expect(code, err).toBe(0)
  const [row] = folder.sql('SELECT * FROM all_names')
  expect(Object.values(row ?? {}).slice(1)).toEqual(names.map((name) => `of ${name}`))
})

it('a hook sees them in its row, and no object is changed by them', () => {
  let seen: object = {}
  const model = defineModel({
    table: 't',
    columns: Object.fromEntries(['id', ...names].map((name) => [name, name === 'id' ? integer() : text()])),
    validate: (row) => {
      seen = row
      return true
    },
  })
  const record = Object.fromEntries([['id', '1'], ...names.map((name) => [name, `of ${name}`] as const)])
  expect(decodeRecord(model, record)).toMatchObject({ row: expect.anything() as unknown })
  expect(Object.entries(seen)).toEqual([['id', 1], ...names.map((name) => [name, `of ${name}`])])
  expect(Object.getPrototypeOf(seen)).toBe(Object.prototype)
  expect(Object.keys(Object.prototype)).toEqual([])
})
