import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { maxRecordBytes } from '../../src/core/load.ts'
import { defaultDialect, type StatedDialect } from '../../src/format/csv/dialect.ts'
import { RecordScanner } from '../../src/format/csv/scan.ts'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { planSource } from '../../src/producer/plan.ts'
import { sourceAt } from '../../src/source/registry.ts'

const model = defineModel({ table: 't', columns: { a: text(), b: integer() } })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-limits-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Number of records, or the code that refuses the file. */
async function verdict(
  content: string | Buffer,
  { header = true, ignoreExtra = false, name = 'file.csv', dialect = {} as StatedDialect } = {},
): Promise<unknown> {
  const path = join(folder, name)
  await writeFile(path, name.endsWith('.gz') ? gzipSync(content) : content)
  const options = { model, dialect: { header, ...dialect }, chunkBytes: 1 << 20, ignoreExtra }
  try {
    return (await planSource(sourceAt(path, name), options, () => undefined)).records
  } catch (error) {
    if (error instanceof LadingError) return error.code
    throw error
  }
}

describe('a record of 16 MiB is taken, and one of a byte more is refused', () => {
  const sound = 'x,1\n'
  const of = (bytes: number) => `${'y'.repeat(bytes - 2)},2`
  const quotedOf = (bytes: number) => `"${'\n'.repeat(bytes - 4)}",2`

  it.each<[string, (record: string) => string, number]>([
    ['first, with LF', (record) => `${record}\n${sound}`, 2],
    ['first, with CRLF', (record) => `${record}\r\n${sound}`, 2],
    ['in the middle, with LF', (record) => `${sound}${record}\n${sound}`, 3],
    ['in the middle, with CRLF', (record) => `${sound.repeat(9)}${record}\r\n${sound}`, 11],
    ['last, with LF', (record) => `${sound}${record}\n`, 2],
    ['last, with CRLF', (record) => `${sound}${record}\r\n`, 2],
    ['last, with CR', (record) => `${sound}${record}\r`, 2],
    ['last, without a line end', (record) => `${sound}${record}`, 2],
    ['alone', (record) => record, 1],
  ])('%s', async (_, file, records) => {
    expect(await verdict(`a,b\n${file(of(maxRecordBytes))}`)).toBe(records)
    expect(await verdict(`a,b\n${file(of(maxRecordBytes + 1))}`)).toBe('RECORD_TOO_LARGE')
  })

  it('of many lines in quotes', async () => {
    expect(await verdict(`a,b\n${quotedOf(maxRecordBytes)}\r\n${sound}`)).toBe(2)
    expect(await verdict(`a,b\n${quotedOf(maxRecordBytes + 1)}\r\n${sound}`)).toBe('RECORD_TOO_LARGE')
  })

  it.each(['\n', '\r\n', ''])('where comments are left out, with %j behind it', async (end) => {
    const of16MiB = (more: number) =>
      verdict(`a,b\n# x\n${sound}${of(maxRecordBytes + more)}${end}`, { dialect: { comment: '#' } })
    expect(await of16MiB(0)).toBe(2)
    expect(await of16MiB(1)).toBe('RECORD_TOO_LARGE')
  })

  it('that is the header', async () => {
    const header = (bytes: number) => `a,${'h'.repeat(bytes - 2)}\r\n`
    expect(await verdict(header(maxRecordBytes), { ignoreExtra: true })).toBe(0)
    expect(await verdict(header(maxRecordBytes + 1), { ignoreExtra: true })).toBe('RECORD_TOO_LARGE')
  })

  it.each([1, 8191, 8192, 65_537, 1 << 20])(
    'wherever pieces of the file end (%i bytes before its own end)',
    (last) => {
      for (const [extra, end] of [
        [0, '\n'],
        [0, '\r\n'],
        [1, '\n'],
        [1, '\r\n'],
      ] as const) {
        const bytes = Buffer.from(`${'z'.repeat(maxRecordBytes + extra)}${end}`)
        const scanner = new RecordScanner(defaultDialect)
        scanner.cut(bytes.subarray(0, bytes.length - last), 0, Number.POSITIVE_INFINITY)
        scanner.cut(bytes.subarray(bytes.length - last), 0, Number.POSITIVE_INFINITY)
        expect([scanner.records, scanner.oversizeLine]).toEqual([1, extra === 0 ? undefined : 1])
      }
    },
  )
})

describe('a file whose lines end with CR alone', () => {
  it.each([
    ['plain', 'a,b\rx,1\ry,2\r'],
    ['with an LF at the end', 'a,b\rx,1\ry,2\r\n'],
    ['with quotes', '"a","b"\r"x\n",1\r"y",2'],
    ['with a byte order mark', '\ufeffa,b\rx,1\r'],
    ['whose header alone ends with CR', 'a,b\rx,1\ny,2\n'],
  ])('%s is refused, which names the cause', async (_, content) => {
    for (const ignoreExtra of [false, true])
      expect(await verdict(content, { ignoreExtra })).toBe('SOURCE_LINE_ENDS')
    expect(await verdict(content, { name: 'file.csv.gz' })).toBe('SOURCE_LINE_ENDS')
  })

  it.each(['x,1\ry,2\r', 'x,1\ry,2', 'x,1\ry,2\r\n', '"x\n",1\ry,2\r'])(
    'without a header is refused where it would be one record (%#)',
    async (content) => {
      expect(await verdict(content, { header: false })).toBe('SOURCE_LINE_ENDS')
    },
  )

  it.each([true, false])(
    'is refused for that reason where it has more than 16 MiB (header: %s)',
    async (header) => {
      expect(await verdict('xxxxxxxx,1\r'.repeat(1_600_000), { header })).toBe('SOURCE_LINE_ENDS')
    },
  )

  it.each([
    ['a CR as the last byte', 'a,b\nx,1\r', true, 1],
    ['a CR as the last byte of one record', 'x,1\r', false, 1],
    ['a header alone', 'a,b\r', true, 0],
    ['a CR in quotes of the header', 'a,b,"c\rd"\nx,1,2\n', true, 1],
    ['CRs within records', 'a,b\nx\ry,1\nz,2\n', true, 2],
    ['CRs within the first of several records', 'x\ry,1\nz,2\n', false, 2],
  ])('is not what has %s', async (_, content, header, records) => {
    expect(await verdict(content, { header, ignoreExtra: true })).toBe(records)
  })
})

describe('a header in which no column finds its field', () => {
  it.each(['x,y\n1,2\n', 'A;B\n1;2\n', 'x\n', 'x,y'])(
    'is refused, extra columns allowed or not: %j',
    async (content) => {
      for (const ignoreExtra of [false, true])
        expect(await verdict(content, { ignoreExtra })).toBe('HEADER_MISMATCH')
    },
  )

  it('is taken as soon as one does', async () => {
    expect(await verdict('x,b\n1,2\n', { ignoreExtra: true })).toBe(1)
  })
})
