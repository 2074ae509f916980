import { expect, it } from 'vitest'
import { cellBytes } from '../../../src/core/cells.ts'
import type { Layout } from '../../../src/core/load.ts'
import { csvReader } from '../../../src/format/csv/choose.ts'
import type { CsvLayout } from '../../../src/format/csv/dialect.ts'
import { csvRecord } from '../../../src/format/csv/record.ts'

const layouts: readonly CsvLayout[] = [
  { fields: ['a'], delimiter: ',', quote: '"' },
  { fields: ['a'], delimiter: ',', quote: '"', escape: '\\' },
]

it.each(layouts)('a CR that was data among other records is data of the record by itself (%j)', (layout) => {
  const reader = csvReader(layout, layout.fields)
  reader.open(Buffer.from('x\r\r\n\r\r\ny\r\n'))
  const records: string[] = []
  while (reader.next()) records.push(reader.bytes.toString('latin1', reader.recordStart, reader.recordEnd))
  expect(records).toEqual(['x\r', '\r', 'y'])
  for (const record of records) {
    const bytes = Buffer.from(record)
    expect(csvRecord.rewrite(bytes, layout, () => undefined)?.toString()).toBe(record)
    reader.openOne(bytes)
    expect([reader.fault, cellBytes(reader, 0).toString()]).toEqual([undefined, record])
  }
})

it.each(layouts)('the value of a blank line of one column can be replaced (%j)', (layout) => {
  expect(csvRecord.rewrite(Buffer.alloc(0), layout, () => 'x')?.toString()).toBe('x')
  const two = { ...layout, fields: ['a', 'b'] }
  expect(csvRecord.rewrite(Buffer.alloc(0), two, () => 'x')?.toString()).toBe('')
})

it('a text that the dialect has no way to write is not put into the record', () => {
  const rewrite = (more: Partial<CsvLayout>, text: string) =>
    csvRecord
      .rewrite(Buffer.from('1,2'), { fields: ['a', 'b'], delimiter: ',', quote: '"', ...more }, (field) =>
        field === 'b' ? text : undefined,
      )
      ?.toString()
  expect(rewrite({}, 'x,\ny')).toBe('1,"x,\ny"')
  expect(rewrite({ multiline: false }, 'x,y')).toBe('1,"x,y"')
  expect(rewrite({ multiline: false }, 'x\ny')).toBeUndefined()
  expect(rewrite({ quote: '' }, 'x,y')).toBeUndefined()
  expect(rewrite({ quote: '', escape: '\\' }, 'x,\ny')).toBe('1,x\\,\\ny')
})

it('a formula is one too behind quotes that are part of the cell', () => {
  const line = (text: string, quote = '"') =>
    csvRecord
      .line(Buffer.from(text), { fields: ['a', 'b'], delimiter: ',', quote } as Layout, true)
      .toString()
  expect(line('"""=1",""""')).toBe(`"""'=1",""""`)
  expect(line('"",""""""')).toBe('"",""""""')
  expect(line('"=1,=1', '')).toBe(`"=1,'=1`)
})
