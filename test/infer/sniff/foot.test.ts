/** Rows at the end that have the cells of a record, and are none. */
import { expect, it } from 'vitest'
import { readInferred, sniffed } from '../../support/inferred.ts'

const people = `name,town,age,since\n${'Ann,Bonn,61,2016-03-11\nBob,Ulm,69,2016-01-10\n'.repeat(4)}`
const payments = 'id,day,amount,closing,note\n1,2026-03-01,5.50,,\n2,2026-03-02,7.25,,\n'

it('a text in columns of values beside empty cells is asked about', async () => {
  const bytes = Buffer.from(`${people},,off,now!\n`)
  expect(sniffed(bytes).questions).toMatchObject([
    { line: 10, readings: [{ option: '--footer-lines 1' }, { option: '--types text' }] },
  ])
  const read = await readInferred(bytes, { footerLines: 1 })
  expect([read.records.length, read.sniffed.questions]).toEqual([8, []])
})

it('cells alone in columns that are empty otherwise are said to be a footer', async () => {
  const bytes = Buffer.from(`${payments},,,12.75,\n,,,,"In case of errors\nask us."\n`)
  expect(sniffed(bytes).questions).toMatchObject([
    { line: 4, readings: [{ option: '--footer-lines 3' }], otherwise: 'it is a record' },
  ])
  expect((await readInferred(bytes, { footerLines: 3 })).records).toHaveLength(2)
})

it.each([
  ['a record that lacks some values', `${people}Eva,,,2016-01-01\n`],
  ['a record of one value', `${people}Eva,,,\n`],
  ['a record with a word for a number', `${people}Eva,Pisa,old,2016-01-01\n`],
])('%s is no footer', (_, text) => {
  expect(sniffed(Buffer.from(text)).questions).toEqual([])
})
