import { expect, it } from 'vitest'
import { jsonRecord } from '../../../src/format/json/record.ts'

const layout = { format: 'ndjson', fields: [] }
const bytes = (text: string) => Buffer.from(text)

it('an object without members, by itself or inside of the record, holds no field and stays as it is', () => {
  const replaced = (text: string) =>
    jsonRecord.rewrite(bytes(text), layout, () => 'x', ['id', 'at.day'])?.toString()
  expect(replaced('{ }')).toBe('{ }')
  expect(replaced('{"at":{},"id":1}')).toBe('{"at":{},"id":"x"}')
  expect(replaced('{"at":{"day":1},"id":1}')).toBe('{"at":{"day":"x"},"id":"x"}')
  expect(jsonRecord.locate(bytes('{}'), layout, 'id', 0)).toBeUndefined()
})

it.each([
  '{"id":1',
  '{"id" 1}',
  '{id:1}',
  '{"id":1,}',
  '{"id":1 "a":2}',
  '{"at":{"day":1]}',
  '{"id":nul}',
  '[1]',
])('of what is no object no field is found and none replaced: %s', (text) => {
  expect(jsonRecord.rewrite(bytes(text), layout, () => 'x', ['id', 'at.day'])).toBeUndefined()
})
