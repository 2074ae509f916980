/** A load without a model keeps every value, whatever a file holds: the same file with all columns text is the oracle. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { load } from '../../src/load/load.ts'
import { unmodelled } from '../../src/load/unmodelled.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'

type Cell = string | number | bigint | null

interface Loaded {
  readonly rows: readonly (readonly Cell[])[]
  readonly rejected: number
  readonly records: number
}

/** Undefined where the file is refused as a whole. */
async function loaded(folder: string, path: string, types?: 'text'): Promise<Loaded | undefined> {
  const file = (name: string) => `${folder}-${name}-${types ?? 'inferred'}.db`
  await using sink = await openSink(`sqlite:${file('target')}`)
  await using queue = await openQueue(`embedded:${file('queue')}`)
  const options = { paths: [path], sink, statePath: file('state') }
  try {
    await using found = await unmodelled({
      ...options,
      table: { table: 't' },
      types: { ...(types && { types }) },
    })
    const { model, readingOf, ofTable } = found
    const { receipts } = await load({
      ...options,
      ...(ofTable && { ofTable }),
      model,
      readingOf,
      namesColumns: true,
      queue,
    })
    const records = receipts.reduce((sum, receipt) => sum + receipt.records, 0)
    const rejected = receipts.reduce((sum, receipt) => sum + receipt.rejected, 0)
    using target = new DatabaseSync(file('target'))
    const select = target.prepare('SELECT * FROM t ORDER BY rowid')
    select.setReadBigInts(true)
    return { records, rejected, rows: select.all().map((row) => Object.values(row) as Cell[]) }
  } catch (error) {
    if (error instanceof LadingError) return undefined
    throw error
  }
}

/** A number as its sign, its digits without outer zeros and its power of ten. */
function magnitude(text: string): string | undefined {
  const [, sign, whole = '', fraction = '', power = '0'] =
    /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  if (sign === undefined) return undefined
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const bare = digits.replace(/0+$/, '')
  return bare === '' ? '0' : `${sign}${bare}e${Number(power) - fraction.length + digits.length - bare.length}`
}

/** Whether the value that a typed column holds is that of the text. */
function isValueOf(text: Cell, value: Cell): boolean {
  if (text === value) return true
  if (typeof text !== 'string' || value === null) return false
  const held = String(value)
  if (text === 'true' || text === 'false') return held === (text === 'true' ? '1' : '0')
  if (held === text) return true
  if (typeof value === 'number') return magnitude(text) !== undefined && magnitude(text) === magnitude(held)
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?(Z?)$/.exec(text)
  if (time === null) return false
  const [, day, minutes, seconds = ':00', fraction = '.', zone] = time
  return held === `${day}T${minutes}${seconds}${fraction.padEnd(7, '0')}${zone}`
}

const kinds = {
  integer: fc.integer().map(String),
  big: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  decimal: fc.tuple(fc.integer({ min: -999, max: 999 }), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  day: fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  instant: fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  boolean: fc.constantFrom('true', 'false'),
  code: fc.constantFrom('007', '01', 'A-17', '+5', '1e5', '24.04.1', 'NA', 'T', '-', '0x1F', '1_000', 'nan'),
  word: fc.string({ unit: fc.constantFrom('a', 'é', ' ', '"', ',', ';', '\n', "'", '\\', '#', '.', '1') }),
  missing: fc.constant(''),
} as const

/** Mostly of one kind, with some of another, so that the value that decides may stand anywhere. */
const column = fc
  .tuple(
    fc.constantFrom(...Object.keys(kinds)),
    fc.constantFrom(...Object.keys(kinds)),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([usual, other, share]) =>
    fc.oneof(
      { weight: 12, arbitrary: kinds[usual as keyof typeof kinds] },
      { weight: share, arbitrary: kinds[other as keyof typeof kinds] },
    ),
  )

const quotedCell = (text: string) => (/["\n,;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const table = fc
  .tuple(fc.array(column, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 25 }))
  .chain(([columns, rows]) =>
    fc
      .array(fc.tuple(...columns), { minLength: rows, maxLength: rows })
      .map((all) => ({ columns: columns.length, all })),
  )
  .map(({ columns, all }) => {
    const header = Array.from({ length: columns }, (_, index) => `name ${index}`)
    return [header, ...all].map((cells) => `${cells.map(quotedCell).join(',')}\n`).join('')
  })

/** Bytes of the characters that decide, in any order. */
const anything = fc
  .array(
    fc.constantFrom(
      'a',
      '1',
      '-',
      '.',
      '"',
      ',',
      ';',
      '\n',
      '\r\n',
      '\t',
      ' ',
      '#',
      "'",
      '\\',
      'é',
      '2024-01-01',
    ),
    {
      maxLength: 80,
    },
  )
  .map((parts) => parts.join(''))

it(
  'every value is kept, and nothing is rejected that a table of texts takes',
  { timeout: 120_000 },
  async () => {
    let compared = 0
    const folder = await mkdtemp(join(tmpdir(), 'lading-inferred-'))
    let run = 0
    try {
      await fc.assert(
        fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: table }, anything), async (text) => {
          const own = join(folder, String(run++))
          const path = `${own}.csv`
          await writeFile(path, text)
          const typed = await loaded(own, path)
          if (typed === undefined) return
          const texts = await loaded(own, path, 'text')
          compared++
          expect({ ...typed, rows: [] }).toEqual({ ...texts, rows: [] })
          const wrong = (texts as Loaded).rows.flatMap((cells, row) =>
            cells.flatMap((cell, at) => {
              const value = typed.rows[row]?.[at] ?? null
              return isValueOf(cell, value) ? [] : [{ row, at, text: cell, value }]
            }),
          )
          expect(wrong).toEqual([])
        }),
        { numRuns: 60 },
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    expect(compared).toBeGreaterThan(15)
  },
)
