import { stripVTControlCharacters, styleText } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Bar,
  barLines,
  byteCount,
  duration,
  noteLine,
  type Paint,
  shortCount,
} from '../../src/cli/terminal/bars.ts'
import { Region } from '../../src/cli/terminal/region.ts'
import { cutEnd, cutMiddle, widthOf } from '../../src/cli/terminal/width.ts'
import { Screen } from './screen.ts'

const plain: Paint = (_, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

const half: Bar = {
  name: 'sensors-1.csv',
  records: 100_000,
  expected: 100_000,
  done: 63_000,
  rejected: 3,
  dead: 0,
  bytes: 6_600_000,
  bytesDone: 4_158_000,
  rate: 52_345,
}
const whole: Bar = { ...half, name: 'b.csv', done: 100_000, bytesDone: 6_600_000, rejected: 0, rate: 0 }
const all: Bar = {
  ...half,
  name: '1 of 12 files',
  expected: 1_200_000,
  isEstimate: true,
  done: 163_000,
  bytesDone: 10_758_000,
}

describe('bars', () => {
  it.each([
    [
      200,
      [
        '1 of 12 files  [#####-----------------------------------]   13 %  163,000 of ~1,200,000  10.3 MiB  52,345/s  0:20 left  3 rejected',
        'sensors-1.csv  [#########################---------------]   63 %      63,000 of 100,000  3.97 MiB  52,345/s  0:01 left  3 rejected',
        'b.csv          [########################################]  100 %     100,000 of 100,000  6.29 MiB                                 ',
      ],
    ],
    [
      80,
      [
        '1 of 12 files  [#---------]   13 %  163k/~1.20M  52.3k/s  0:20 left  3 rejected',
        'sensors-1.csv  [######----]   63 %   63.0k/100k  52.3k/s  0:01 left  3 rejected',
        'b.csv          [##########]  100 %    100k/100k                                ',
      ],
    ],
    [
      40,
      [
        '1 o…files   13 %  0:20 left  3 rejected',
        'sen…1.csv   63 %  0:01 left  3 rejected',
        'b.csv      100 %                       ',
      ],
    ],
    [5, ['1 o…', 'sen…', 'b.c…']],
  ])('of %d columns', (columns, expected) => {
    expect(barLines([all, half, whole], columns, plain)).toEqual(expected)
  })

  it('without an end have no track', () => {
    const consumed: Bar = { ...half, name: '35 batches', expected: undefined, rejected: 0 }
    expect(barLines([consumed], 80, plain)).toEqual(['35 batches  63,000 records  3.97 MiB  52.3k/s'])
  })

  it('tell what a guess says at most: not that it is done', () => {
    expect(barLines([{ ...all, done: 2_000_000 }], 200, plain)[0]).toContain('  99 %')
    expect(barLines([{ ...whole, expected: 0, done: 0 }], 200, plain)[0]).toContain('100 %')
  })

  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constant('日本語のとても長いファイル名.csv'),
    fc.constant('\u001b[2J\u202e\n'),
  )
  const number = fc.nat(2 ** 31)
  const bar = fc.record({
    name: hostile,
    records: number,
    expected: fc.option(number, { nil: undefined }),
    isEstimate: fc.boolean(),
    done: number,
    rejected: number,
    dead: number,
    bytes: number,
    bytesDone: number,
    rate: number,
  })

  it('are never wider than the terminal, and no name steers it', () => {
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 250 }),
        hostile,
        (bars, columns, note) => {
          const lines = [...barLines(bars, columns, plain), noteLine(note, columns)]
          for (const line of lines) {
            expect(widthOf(line)).toBeLessThan(Math.max(1, columns))
            // oxlint-disable-next-line no-control-regex
            expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
          }
          expect(barLines(bars, columns, coloured).map(stripVTControlCharacters)).toEqual(
            barLines(bars, columns, plain),
          )
        },
      ),
    )
  })

  it('stand below one another', () => {
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 60, max: 250 }),
        (bars, columns) => {
          expect(new Set(barLines(bars, columns, plain).map(widthOf)).size).toBe(1)
        },
      ),
    )
  })
})

it('numbers are short and never round up to what looks like more digits', () => {
  expect([9_999, 10_000, 99_950, 999_949, 999_950, 12_345_678, 1e12].map(shortCount)).toEqual([
    '9,999',
    '10.0k',
    '100k',
    '1000k',
    '1.00M',
    '12.3M',
    '1000G',
  ])
  expect([0, 999, 1024, 1_048_576, 10 * 1024 ** 3].map(byteCount)).toEqual([
    '0 B',
    '999 B',
    '1.00 KiB',
    '1.00 MiB',
    '10.0 GiB',
  ])
  expect([0, 7_400, 754_000, 3_723_000].map(duration)).toEqual(['0:00', '0:07', '12:34', '1:02:03'])
})

it('a long name loses its middle', () => {
  expect(cutMiddle('sensors-2024-01-01-part-000017.csv', 20)).toBe('sensors…t-000017.csv')
  expect(cutMiddle('日本語の長い名前.csv', 11)).toBe('日本…前.csv')
  expect(cutEnd('abcdef', 4)).toBe('abc…')
  expect(cutMiddle('abc', 3)).toBe('abc')
  expect([cutMiddle('abc', 2), cutMiddle('abc', 1), cutMiddle('abc', 0)]).toEqual(['a…', '…', ''])
})

describe('a region of a terminal', () => {
  it('keeps its lines at the end, and every line that passes above it whole and in order', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', '語', ' x'), minLength: 1, maxLength: 60 })
    const drawn = fc.array(fc.string({ unit: fc.constantFrom('#', '-'), minLength: 1, maxLength: 30 }), {
      maxLength: 5,
    })
    const steps = fc.array(
      fc.oneof(
        drawn.map((lines) => ({ lines })),
        line.map((said) => ({ said })),
      ),
      { minLength: 1, maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const screen = new Screen(31, 100)
        const expected = new Screen(31, 100)
        const region = new Region(screen)
        let last: readonly string[] = []
        for (const step of taken) {
          if ('lines' in step) region.draw((last = step.lines))
          else {
            region.above(`${step.said}\n`)
            expected.write(`${step.said}\n`)
          }
        }
        for (const each of last) expected.write(`${each}\n`)
        expect(screen.text).toEqual(expected.text)
        expect(screen.unknown).toEqual([])
      }),
    )
  })

  it('draws no more lines than the terminal has', () => {
    const screen = new Screen(20, 4)
    const region = new Region(screen)
    for (const mark of ['a', 'b', 'c']) region.draw(Array.from({ length: 9 }, (_, n) => mark + n))
    expect(screen.text).toEqual(['c0', 'c1', 'c2'])
  })

  it('finds its beginning when the terminal has become narrower and has broken its lines', () => {
    const wide = { columns: 20, rows: 24, written: '', write: (text: string) => (wide.written += text) }
    const region = new Region(wide)
    region.draw(['a'.repeat(15), 'b'])
    Object.assign(wide, { columns: 10, written: '' })
    region.draw(['c'])
    expect(wide.written.startsWith('\r\u001b[3A')).toBe(true)
  })

  it('writes nothing where nothing has changed', () => {
    const screen = { columns: 20, rows: 24, writes: 0, write: () => screen.writes++ }
    const region = new Region(screen)
    for (let n = 0; n < 3; n++) region.draw(['same'])
    expect(screen.writes).toBe(1)
  })
})
