import { createHook } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unpacked } from '../../src/source/compressed/decompress.ts'
import { FileSource } from '../../src/source/file/file.ts'
import { Held } from '../../src/source/held.ts'
import { readRanges } from '../../src/source/ranges.ts'
import { findFiles } from '../../src/producer/sources.ts'
import { sourceAt } from '../../src/source/registry.ts'
import { spool } from '../../src/source/stdin/spool.ts'
import { inPieces } from '../support/pieces.ts'
import { ZstdFrames } from '../../src/source/compressed/zstd-frames.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-source-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function read(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  const pieces: Buffer[] = []
  for await (const piece of sourceAt(path, name).bytes()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

/** Reads an archive that comes from the disk in pieces of `size` bytes. */
async function readInPieces(compression: 'gzip' | 'zstd', content: Buffer, size: number): Promise<string> {
  async function* file(): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
  }
  let all = ''
  for await (const piece of unpacked(compression, file(), 1 << 16)) all += piece.toString()
  return all
}

const corrupt = expect.objectContaining({ code: 'SOURCE_CORRUPT' })
const [one, two, three] = ['first\n', 'second\n'.repeat(50), 'third\n'] as const
const zeros = Buffer.alloc(700)

function damaged(member: Buffer, at: number): Buffer {
  const copy = Buffer.from(member)
  copy[at] = (copy[at] as number) ^ 0xff
  return copy
}

const firstByteZero = (member: Buffer) => Buffer.concat([Buffer.alloc(1), member.subarray(1)])

describe.each([
  ['gzip', 'file.csv.gz', gzipSync],
  ['zstd', 'file.csv.zst', zstdCompressSync],
] as const)('%s', (compression, name, pack) => {
  const members = [one, two, three].map((text) => pack(text))
  const joined = Buffer.concat(members)

  it('members that were joined are read to the last one', async () => {
    expect(await read(name, joined)).toBe(one + two + three)
    expect(await read(name, Buffer.concat([pack(''), joined, pack('')]))).toBe(one + two + three)
  })

  it('members may end wherever a piece of the file ends', async () => {
    for (let size = 1; size <= joined.length; size++)
      expect(await readInPieces(compression, joined, size), `${size}`).toBe(one + two + three)
  })

  it('a damaged member is refused, the first one or a later one, wherever the damage is', async () => {
    for (const text of [one, two]) {
      const member = pack(text)
      // Without its checksum, a zstd frame does not tell every damage to its data.
      const places =
        compression === 'gzip'
          ? [0, 1, member.length - 9, member.length - 8, member.length - 1]
          : [0, 1, 2, 3]
      for (const at of places) {
        await expect(
          read(name, Buffer.concat([members[0] as Buffer, damaged(member, at), members[2] as Buffer])),
          `${at}`,
        ).rejects.toEqual(corrupt)
      }
      await expect(read(name, Buffer.concat([members[0] as Buffer, firstByteZero(member)]))).rejects.toEqual(
        corrupt,
      )
    }
  })

  it('an archive that is cut short is refused, wherever it is cut', async () => {
    const ends = [members[0]?.length, joined.length - (members[2]?.length as number)]
    for (let size = 0; size < joined.length; size++) {
      if (!ends.includes(size))
        await expect(read(name, joined.subarray(0, size)), `${size}`).rejects.toEqual(corrupt)
    }
  })

  it('rubbish after the last member is refused', async () => {
    for (const rubbish of ['x', 'rubbish that is longer than any header', '\0x', `${'\0'.repeat(600)}x`]) {
      await expect(read(name, Buffer.concat([joined, Buffer.from(rubbish)])), rubbish).rejects.toEqual(
        corrupt,
      )
    }
  })
})

describe('zeros after the members of a gzip file', () => {
  const joined = Buffer.concat([gzipSync(one), gzipSync(two)])

  it('are padding to its end, as tapes and block devices leave it', async () => {
    expect(await read('file.csv.gz', Buffer.concat([joined, zeros]))).toBe(one + two)
    const padded = Buffer.concat([joined, Buffer.alloc(40)])
    for (let size = 1; size <= padded.length; size++)
      expect(await readInPieces('gzip', padded, size), `${size}`).toBe(one + two)
  })

  it('are a hole where another member follows, and refused: what was lost in it nobody knows', async () => {
    const holed = Buffer.concat([joined, zeros, gzipSync(three)])
    await expect(read('file.csv.gz', holed)).rejects.toEqual(corrupt)
    for (const size of [1, 7, 64, joined.length, joined.length + 1]) {
      await expect(readInPieces('gzip', holed, size), `${size}`).rejects.toEqual(corrupt)
    }
  })

  it('alone are no archive', async () => {
    await expect(read('file.csv.gz', zeros)).rejects.toEqual(corrupt)
  })
})

describe('frames of zstd', () => {
  const skippable = (bytes: number) => {
    const head = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
    head.writeUInt32LE(bytes, 4)
    return Buffer.concat([head, Buffer.alloc(bytes, 0xff)])
  }
  const frame = fc.oneof(
    fc
      .record({
        unit: fc.uint8Array({ maxLength: 60 }),
        times: fc.integer({ min: 1, max: 4_000 }),
        sum: fc.nat(1),
        size: fc.nat(1),
      })
      .map(({ unit, times, sum, size }) =>
        zstdCompressSync(Buffer.concat(Array.from({ length: times }, () => unit)), {
          params: { [constants.ZSTD_c_checksumFlag]: sum, [constants.ZSTD_c_contentSizeFlag]: size },
        }),
      ),
    fc.nat(300).map(skippable),
  )

  it('end where the next one begins, in whatever pieces the file comes', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 700 }),
        (members, size) => {
          const file = Buffer.concat(members)
          const frames = new ZstdFrames()
          const ends: number[] = []
          for (let start = 0; start < file.length; start += size) {
            const piece = file.subarray(start, start + size)
            for (let at = 0; at < piece.length;) {
              at = frames.end(piece, at) as number
              if (frames.isBetween) ends.push(start + at)
            }
          }
          let sum = 0
          expect(ends).toEqual(members.map((member) => (sum += member.length)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('need one decompressor, however many they are', async () => {
    let made = 0
    const hook = createHook({ init: (_, type) => void (made += type === 'ZLIB' ? 1 : 0) })
    const frames = Buffer.concat([
      ...Array.from({ length: 500 }, (_, n) => zstdCompressSync(`${n}\n`)),
      skippable(0),
      skippable(40),
    ])
    hook.enable()
    const text = await read('tiny.csv.zst', frames)
    hook.disable()
    expect([text.split('\n').length, made]).toEqual([501, 1])
  })

  it('with a larger window than is read are called that, and how to go on', async () => {
    const window = (log: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1, 0, 0])
    expect(await read('long.csv.zst', window(27))).toBe('')
    await expect(read('long.csv.zst', window(31))).rejects.toMatchObject({
      code: 'SOURCE_COMPRESSED',
      message: expect.stringMatching(/long\.csv\.zst: .*--long.*zstd -dc --long=31 FILE \| lading load -/),
    })
  })
})

it.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('reading %s may end before its next piece has come', async (compression, pack) => {
  const more = Promise.withResolvers<void>()
  let isClosed = false
  async function* file(): AsyncGenerator<Buffer> {
    try {
      yield pack(one)
      await more.promise
      yield pack(two)
    } finally {
      isClosed = true
    }
  }
  const pieces = unpacked(compression, file(), 1 << 16)
  expect(String((await pieces.next()).value)).toBe(one)
  const unhandled = vi.fn<() => void>()
  process.on('unhandledRejection', unhandled)
  const ended = pieces.return(undefined)
  more.resolve()
  expect(await ended).toEqual({ done: true, value: undefined })
  await setImmediate()
  process.off('unhandledRejection', unhandled)
  expect([isClosed, unhandled.mock.calls]).toEqual([true, []])
})

describe('what a file is compressed with, its first bytes tell, and not its name', () => {
  it.each([
    ['gzip', gzipSync(one)],
    ['zstd', zstdCompressSync(one)],
    ['no compression', Buffer.from(one)],
  ])('%s', async (what, content) => {
    expect(await read('plain.csv', content)).toBe(one)
    const source = sourceAt(join(folder, 'plain.csv'), 'plain.csv')
    await using reader = await source.ranges()
    expect(reader === undefined).toBe(what !== 'no compression')
    const ranges: Buffer[] = []
    for await (const [, range] of readRanges(source, [{ byteStart: 1, bytes: 3 }])) ranges.push(range)
    expect(Buffer.concat(ranges).toString()).toBe(one.slice(1, 4))
  })

  it.each([
    ['bzip2', 'BZh91AY&SY', 'bzip2 -dc FILE'],
    ['xz', '\xfd7zXZ\0\0\x04', 'xz -dc FILE'],
    ['lz4', '\x04\x22\x4d\x18', 'lz4 -dc FILE'],
    ['a ZIP archive', 'PK\x03\x04\x14\0', 'unzip -p FILE'],
    ['7z', '7z\xbc\xaf\x27\x1c', '7z x -so FILE'],
  ])('%s is said, with the command that unpacks it', async (what, start, command) => {
    await expect(read('what.csv', Buffer.from(start, 'latin1'))).rejects.toMatchObject({
      code: 'SOURCE_COMPRESSED',
      message: expect.stringMatching(new RegExp(`what\\.csv is ${what}.*: ${command} \\| lading load -`)),
    })
  })

  const localHeader = `PK\x03\x04${'\0'.repeat(26)}`
  it.each([
    [
      'a workbook of Excel (.xlsx)',
      `${localHeader}[Content_Types].xml`,
      /save its sheet as CSV, or: libreoffice .* FILE$/,
    ],
    [
      'a spreadsheet of LibreOffice (.ods)',
      `${localHeader}mimetypeapplication/vnd.oasis.opendocument.spreadsheet`,
      /libreoffice/,
    ],
    ['a workbook of an old Excel (.xls)', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', /libreoffice/],
    ['Parquet', 'PAR1\x15\x04', /duckdb -csv -c "FROM read_parquet\('FILE'\)" \| lading load -$/],
    ['Avro', 'Obj\x01', /avro-tools tojson FILE \| lading load - --format ndjson$/],
    ['ORC', 'ORC\x1d\0', /orc-contents FILE \| lading load - --format ndjson$/],
    ['a database of SQLite', 'SQLite format 3\0', /sqlite3 -header -csv FILE .* \| lading load -$/],
    ['a PDF', '%PDF-1.7', /export its table as CSV/],
    ['a web page (HTML)', '\xef\xbb\xbf\n<!DOCTYPE html>', /get the data behind it/],
    ['a web page (HTML)', '<html lang="en">', /get the data behind it/],
    ['XML', '<?xml version="1.0"?>', /yq -p xml .* --format json; --records PATH/],
  ])('%s is named, with what makes it readable, compressed or not', async (what, start, how) => {
    const content = Buffer.from(start, 'latin1')
    for (const packed of [content, gzipSync(content), zstdCompressSync(content)]) {
      const reading = read('what.csv', packed)
      await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FORMAT' })
      await expect(reading).rejects.toThrow(`what.csv is ${what}, which is not read: `)
      await expect(reading).rejects.toThrow(how)
    }
  })

  it('a tar archive is one, compressed or not', async () => {
    const tar = Buffer.alloc(512)
    tar.write('a.csv')
    tar.write('ustar', 257)
    for (const [name, content] of [
      ['a.tar', tar],
      ['a.tar.gz', gzipSync(tar)],
    ] as const)
      await expect(read(name, content)).rejects.toMatchObject({
        code: 'SOURCE_COMPRESSED',
        message: expect.stringMatching(/is a tar archive, .*: tar -xOf FILE \| lading load -$/) as string,
      })
  })

  it.each([
    'ORCID,name\n',
    'PAR1,PAR2\n',
    '<ticker>,<date>\n',
    'PK,name\n',
    'SQLite format 3,x\n',
    'BZh,a\n',
  ])('a header %j is none of them', async (text) => {
    expect(await read('a.csv', Buffer.from(text))).toBe(text)
  })

  it.each([
    ['a.json.bz2', ' --format json'],
    ['a.NDJSON.bz2', ' --format ndjson'],
    ['a.jsonl', ' --format ndjson'],
    ['a.tsv.bz2', ' --format tsv'],
    ['a.csv.bz2', ''],
    ['json.bz2', ''],
  ])(
    'the command that unpacks %s names the format, which standard input does not tell',
    async (name, format) => {
      await expect(read(name, Buffer.from('BZh91AY&SY', 'latin1'))).rejects.toMatchObject({
        message: expect.stringMatching(new RegExp(`bzip2 -dc FILE \\| lading load -${format}$`)),
      })
    },
  )

  it('rubbish behind a gzip member, and a member behind zeros, are said with what loads the rest', async () => {
    for (const end of [Buffer.from('rubbish'), Buffer.concat([zeros, gzipSync(two)])]) {
      await expect(read('file.csv.gz', Buffer.concat([gzipSync(one), end]))).rejects.toMatchObject({
        code: 'SOURCE_CORRUPT',
        message: expect.stringMatching(
          /file\.csv\.gz: .*follow.*a gzip member.*gzip -dc FILE \| lading load -/,
        ),
      })
    }
  })

  it('a pipe is refused, and not waited for', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.csv')])
    await expect(sourceAt(join(folder, 'pipe.csv'), 'pipe.csv').ranges()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    })
  })

  it('an empty file that is called compressed was cut off', async () => {
    await expect(read('file.csv.gz', Buffer.alloc(0))).rejects.toMatchObject({
      code: 'SOURCE_CORRUPT',
      message: expect.stringContaining('empty'),
    })
  })
})

it('ranges of a source that can only be read from its beginning are cut out of its pieces, wherever those end', async () => {
  const size = fc.integer({ min: 1, max: 9 })
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(size, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), size), { maxLength: 12 }),
      async (content, pieces, gaps) => {
        const bytes = Buffer.from(content)
        let end = 0
        const ranges = gaps.map(([gap, length]) => {
          const byteStart = end + gap
          end = byteStart + length
          return { byteStart, bytes: length }
        })
        const bodies: Buffer[] = []
        for await (const [, range] of readRanges(inPieces(bytes, pieces), ranges))
          bodies.push(Buffer.from(range))
        expect(bodies).toEqual(
          ranges.map(({ byteStart, bytes: length }) => bytes.subarray(byteStart, byteStart + length)),
        )
      },
    ),
    { numRuns: 500 },
  )
})

it('a file that says it has no bytes, as those of /proc do, is read to its end', async (context) => {
  if (!existsSync('/proc/version')) return context.skip('there is no /proc here')
  const source = sourceAt('/proc/version', 'version')
  expect(source.whole?.()).toBeUndefined()
  const pieces: string[] = []
  for await (const piece of source.bytes()) pieces.push(piece.toString())
  expect(pieces.join('')).toBe(readFileSync('/proc/version', 'utf8'))
})

it('what cannot be read is told by its path, whichever way it is read', async () => {
  const unreadable = (path: string) =>
    expect.objectContaining({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining(path) as string })
  const source = new FileSource(folder, 'folder')
  await expect(source.bytes().next()).rejects.toEqual(unreadable(folder))
  await using ranges = await source.ranges()
  await expect(ranges?.read(Buffer.alloc(1), 0)).rejects.toEqual(unreadable(folder))
  const gone = join(folder, 'gone.csv')
  for (const each of [sourceAt(gone, 'gone.csv'), new FileSource(gone, 'gone.csv')])
    await expect(each.reference(folder)).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
})

it('standard input of a program that has none is refused', async () => {
  await expect(spool(join(folder, 'state.db'))).rejects.toMatchObject({ code: 'USAGE' })
})

it('copies of standard input that another run has left are removed, and what is gone by then disturbs nobody', async () => {
  const name = () => `${randomUUID()}.csv`
  const [old, young, gone] = [name(), name(), name()]
  await mkdir(join(folder, 'spool'))
  for (const each of [old, young]) await writeFile(join(folder, 'spool', each), 'x')
  await utimes(join(folder, 'spool', old), 1, 1)
  await symlink('/nothing', join(folder, 'spool', gone))
  await using _ = await spool(join(folder, 'state.db'), { stdin: Readable.from(['id\n1\n']) })
  const left = await readdir(join(folder, 'spool'))
  expect([left.length, ...[old, young, gone].map((each) => left.includes(each))]).toEqual([
    3,
    false,
    true,
    true,
  ])
})

it('small files of stores are held once each, as long as there is room', () => {
  const held = new Held()
  held.add('a', Buffer.from('1'))
  held.add('a', Buffer.from('2'))
  expect(held.get('a')?.toString()).toBe('1')
  held.add('b', Buffer.alloc(64 * 1024 * 1024))
  held.add('c', Buffer.from('3'))
  expect([held.get('b'), held.get('c')?.toString()]).toEqual([undefined, '3'])
})

it('a pattern leaves out what is hidden, and says so', async () => {
  await mkdir(join(folder, '.hidden'))
  for (const name of ['.hidden/a.csv', 'b.csv', '.c.csv']) await writeFile(join(folder, name), 'id\n')
  const told: string[] = []
  const found = await findFiles({ paths: [join(folder, '{.c,b}.csv')] }, (message) => told.push(message))
  expect([...found].map(({ name }) => name)).toEqual(['b.csv'])
  expect(told.join()).toContain('hidden')
})
