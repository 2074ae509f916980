/** First rows of texts: names, or values like those below them. */
import { describe, expect, it } from 'vitest'
import { readInferred, sniffed } from '../../support/inferred.ts'

const lines = (...texts: readonly string[]) => `${texts.join('\n')}\n`

describe('a first line that is like those below it is a record', () => {
  it.each([
    ['numbers of fixed width', ['  0.50 24.00 Umi', '  8.00 14.50 Umi', ' 21.00 23.00 Cep']],
    [
      'numbers of fixed width, and more letters',
      ['Sun G 24.00 yellow', 'Moon   1.00 white', 'Mars   4.50 red'],
    ],
    ['numbers in free form', ['56', '1 7 45 51', '2 19 28 29 32', '3 43']],
    [
      'codes at the same place',
      ['John Smith   WA  418-Y11', 'Mary Hart    CA  319-Z19', 'Ev Nolan     IL  219-c30'],
    ],
    ['codes alone', ['A-17', 'A-18', 'B-19']],
    ['codes beside texts', ['Airbus A,A30B', 'Airbus B,A310', 'Boeing,T144']],
    ['an emoji', ['😀,:grinning:', '😁,:grin:', '🙂,:smile:']],
    ['a number with a plus', ['XD,+888 // Asia', 'XR,+979 // Europe', 'XT,+800 // Africa']],
    ['an address', ['Ann,ann@example.org', 'Bob,none yet', 'Cid,lost']],
    ['a missing value', ['Ann,\\N', 'Bob,Rome', 'Cid,Ulm']],
  ])('%s', async (_, texts) => {
    const { sniffed: found, records, rejects } = await readInferred(Buffer.from(lines(...texts)))
    expect([found.dialect?.header, found.questions]).toEqual([false, []])
    expect([records.length, rejects]).toEqual([texts.length, 0])
    expect(found.decisions).toContainEqual(expect.objectContaining({ about: 'header', chosen: 'none' }))
  })
})

describe('a header of texts is none of them', () => {
  it.each([
    ['names with digits', ['THETA1 THETA2', '-2.500  1.250', '-2.494  2.158']],
    ['a name that ends with a digit', ['street 1', 'Main St. 5', 'Elm St. 7']],
    ['a code of one digit', ['iso2', 'DE7', 'FR8']],
    ['a name with an emoji', ['📅 day;city', 'today;Ulm', 'later;Rome']],
    ['small letters above capitals', ['name,city', 'Ann,Rome', 'Bob,Ulm', 'Cid,Pisa']],
    ['one word above several', ['Title', 'War and Peace', 'Pale Fire', 'The Dead']],
  ])('%s', (_, texts) => {
    const { dialect, questions } = sniffed(Buffer.from(lines(...texts)))
    expect([dialect?.header, questions]).toEqual([true, []])
  })
})

describe('a header that is written like the rows below it is said to be a guess', () => {
  it.each([
    ['names of capitals', ['Aruba,AA,U', 'Norway,NO,N', 'Austria,AU,E']],
    ['one column', ['And Andromeda', 'Ant Antlia', 'Aps Apus']],
  ])('%s', async (_, texts) => {
    const bytes = Buffer.from(lines(...texts))
    expect(sniffed(bytes)).toMatchObject({
      dialect: { header: true },
      questions: [{ line: 1, otherwise: 'it is the header', readings: [{ option: '--no-header' }] }],
    })
    for (const [stated, records] of [
      [{ header: false }, 3],
      [{ headerRows: 1 }, 2],
    ] as const) {
      const read = await readInferred(bytes, { dialect: stated })
      expect([read.sniffed.questions, read.records.length]).toEqual([[], records])
    }
  })
})
