/** The text of a source: its encoding, its line ends, its footer, however its bytes come in pieces. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dialect } from '../../src/format/csv/dialect.ts'
import type { Reading } from '../../src/format/reading.ts'
import { lineEndsFor } from '../../src/format/registry.ts'
import { written } from '../../src/producer/reading.ts'
import { decompressed } from '../../src/source/compressed/compressed.ts'
import { FileSource } from '../../src/source/file/file.ts'
import type { Source } from '../../src/source/source.ts'
import { type TextOptions, textSource } from '../../src/source/text/text.ts'

const pieceSizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 })

/** Its pieces are one memory, as those of a file are. */
function inPieces(file: Buffer, sizes: readonly number[]): Source {
  async function* bytes() {
    const memory = Buffer.alloc(16)
    for (let at = 0, index = 0; at < file.length; index++) {
      const size = Math.min(sizes[index % sizes.length] as number, file.length - at)
      file.copy(memory, 0, at, at + size)
      yield memory.subarray(0, size)
      at += size
    }
  }
  return {
    name: 'x.csv',
    path: 'x.csv',
    location: '/x.csv',
    isTransient: false,
    size: async () => file.length,
    state: async () => 'state',
    bytes,
    ranges: async () => undefined,
    reference: async () => undefined,
  }
}

async function textOf(file: Buffer, options: TextOptions = {}, sizes: readonly number[] = [3]) {
  const pieces: Buffer[] = []
  for await (const piece of textSource(inPieces(file, sizes), options).bytes())
    pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16()
const anyText = fc.string({ unit: 'binary', maxLength: 12 })

describe('a source is text of UTF-8, however its pieces are cut', () => {
  it('from UTF-16 with a mark, or stated', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, pieceSizes, async (text, sizes) => {
        // Behind the mark, a NUL would look like UTF-32.
        fc.pre(!text.startsWith('\0'))
        const both = [Buffer.from(text, 'utf16le'), swapped(text)] as const
        const marked = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)] as const
        for (const [index, encoding] of (['utf-16le', 'utf-16be'] as const).entries()) {
          const [bytes, mark] = [both[index], marked[index]] as [Buffer, Buffer]
          // A mark at the beginning is one, whatever is stated.
          const file = Buffer.concat([mark, bytes])
          expect((await textOf(file, {}, sizes)).toString()).toBe(text)
          expect((await textOf(file, { encoding: 'windows-1252' }, sizes)).toString()).toBe(text)
          if (!/^[\ufeff\ufffe\uffef\ubbef]/.test(text))
            expect((await textOf(bytes, { encoding }, sizes)).toString()).toBe(text)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('from UTF-8, of which no byte is changed', async () => {
    const bytes = fc.uint8Array({ maxLength: 30 }).map((each) => Buffer.from(each))
    await fc.assert(
      fc.asyncProperty(bytes, pieceSizes, async (file, sizes) => {
        fc.pre(!(file[0] === 0xff && file[1] === 0xfe) && !(file[0] === 0xfe && file[1] === 0xff))
        expect(await textOf(file, {}, sizes)).toEqual(file)
      }),
    )
    const marked = Buffer.from('\ufeffä')
    expect(await textOf(marked, { encoding: 'iso-8859-1' })).toEqual(marked)
  })

  it('from encodings of one byte and of several, as iconv converts them', async () => {
    const texts: readonly (readonly [encoding: string, text: string])[] = [
      ['windows-1252', '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ¡ÿäöüß a,b\n'],
      ['iso-8859-1', 'äöüß¤¦ÿ\u0085 a,b\n'],
      ['iso-8859-2', 'Łódź, żółw\n'],
      ['windows-1251', 'Привет, мир\n'],
      ['koi8-r', 'Привет, мир\n'],
      ['shift_jis', '名前,都市\n東京,テスト\n'],
      ['gb18030', '姓名,城市 €😀\n'],
      ['euc-kr', '이름,도시\n'],
    ]
    for (const [encoding, text] of texts) {
      const file = execFileSync('iconv', ['-f', 'UTF-8', '-t', encoding], { input: text })
      for (const sizes of [[1], [2], [3], [7]])
        expect((await textOf(file, { encoding }, sizes)).toString(), encoding).toBe(text)
    }
  })

  it('what has no character becomes a byte that is no UTF-8, and the rest stays', async () => {
    const bad = (text: string) => Buffer.from(text.replaceAll('!', '\u00ff'), 'latin1')
    for (const [encoding, file, expected] of [
      ['windows-1252', Buffer.from('a\x81b\n', 'latin1'), bad('a!b\n')],
      ['shift_jis', Buffer.of(0x61, 0xff, 0x62), bad('a!b')],
      ['utf-16le', Buffer.from('a\ud83db\udc00\ud83d', 'utf16le'), bad('a!b!!')],
      ['utf-16be', Buffer.concat([swapped('ab'), Buffer.of(0)]), bad('ab!')],
    ] as const)
      for (const sizes of [[1], [2], [5]]) expect(await textOf(file, { encoding }, sizes)).toEqual(expected)
    // It is a character like others there.
    expect((await textOf(Buffer.from('\ufffd', 'utf16le'), { encoding: 'utf-16le' })).toString()).toBe(
      '\ufffd',
    )
  })

  it('an encoding that is not known, and UTF-32, are refused', async () => {
    expect(() => textSource(inPieces(Buffer.of(), [1]), { encoding: 'klingon' })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining('"klingon" is not known') as string,
      }),
    )
    await expect(textOf(Buffer.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0))).rejects.toMatchObject({
      code: 'SOURCE_ENCODING',
      message: expect.stringMatching(/^x\.csv: .*iconv -f UTF-32/) as string,
    })
  })
})

const cr = (dialect: Partial<Dialect> = {}): TextOptions => ({ lineEnds: lineEndsFor('x.csv', { dialect }) })

describe('lines that end with CR alone', () => {
  it('end with LF, and a CR in quotes stays', async () => {
    const cell = fc.constantFrom('a', '', '"x\ry"', '"a""\r"', 'b"c', '"d"e', 'ü')
    const lines = fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }).map((cells) => cells.join(',')))
    await fc.assert(
      fc.asyncProperty(lines, pieceSizes, fc.constantFrom('', 'end'), async (all, sizes, last) => {
        const ended = (end: string) => Buffer.from(`${all.map((line) => `${line}${end}`).join('')}${last}`)
        expect((await textOf(ended('\r'), cr(), sizes)).toString()).toBe(ended('\n').toString())
        // One before an LF belongs to that.
        expect((await textOf(ended('\r\n'), cr(), sizes)).toString()).toBe(ended('\r\n').toString())
        expect((await textOf(ended('\r\r\n'), cr(), sizes)).toString()).toBe(ended('\r\n').toString())
      }),
    )
  })

  it.each<[Partial<Dialect>, string, string]>([
    [{}, 'a\r\r\rb\r\r\r\nc\r\r', 'a\n\n\nb\n\r\nc\n\n'],
    [{ quote: '' }, '"a\rb"\r', '"a\nb"\n'],
    [{ quote: "'" }, "'a\rb'\r\"c\rd", "'a\rb'\n\"c\nd"],
    [{ escape: '\\' }, 'a\\\rb\r"c\\"\rd"\r', 'a\\\rb\n"c\\"\rd"\n'],
    [{ comment: '#' }, '# "x,"y\ra\r', '# "x,"y\na\n'],
    [{ multiline: false }, 'a,"b\rc\r', 'a,"b\nc\n'],
    [{ trim: true }, 'a, "b\rc"\r', 'a, "b\rc"\n'],
    [{ delimiter: ';' }, 'a,"b\rc;"d\re"\r', 'a,"b\nc;"d\re"\n'],
  ])('in the dialect %j, %j is %j', async (dialect, file, text) => {
    for (const sizes of [[1], [2], [9]])
      expect((await textOf(Buffer.from(file), cr(dialect), sizes)).toString()).toBe(text)
  })

  it('of a file of tabs, too', async () => {
    const file = Buffer.from('a\t"b\rc"\rd,"e\rf"\r')
    const text = await textOf(file, { lineEnds: lineEndsFor('x.tsv', {}) })
    expect(text.toString()).toBe('a\t"b\rc"\nd,"e\nf"\n')
  })

  it('of a format without cells end everywhere', async () => {
    const options = { lineEnds: lineEndsFor('x.ndjson', {}) }
    expect((await textOf(Buffer.from('{"a":"b"}\r{}\r'), options)).toString()).toBe('{"a":"b"}\n{}\n')
  })
})

describe('a footer', () => {
  it('of any number of lines is left out, with and without a line end at its end', async () => {
    const text = fc
      .array(fc.constantFrom('a', '\n', 'b\n', '\n\n', 'ü'), { maxLength: 20 })
      .map((each) => each.join(''))
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 4 }), pieceSizes, async (file, footerLines, sizes) => {
        const lines = file.split(/(?<=\n)/).filter((line) => line !== '')
        const reading = textOf(Buffer.from(file), { footerLines }, sizes)
        if (file !== '' && lines.length < footerLines)
          await expect(reading).rejects.toMatchObject({ code: 'SOURCE_MALFORMED' })
        else expect((await reading).toString()).toBe(lines.slice(0, -footerLines).join(''))
      }),
    )
  })

  it('of more than 16 MiB is refused, with the file, before it fills the memory', async () => {
    async function* endless() {
      const piece = Buffer.alloc(1 << 20, 'a')
      for (;;) yield piece
    }
    const source = textSource({ ...inPieces(Buffer.of(), [1]), bytes: endless }, { footerLines: 1 })
    const all = async () => {
      for await (const piece of source.bytes()) expect(piece).toBeDefined()
    }
    await expect(all()).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringMatching(/^x\.csv: /) as string,
    })
  })
})

describe('a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lading-text-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('that is read in another way has another state, so that no plan of it goes on', async () => {
    const path = join(folder, 'state.csv')
    await writeFile(path, 'a\n')
    const stateOf = (reading: Reading) => written(new FileSource(path, 'state.csv'), reading).state()
    const readings: readonly Reading[] = [
      {},
      { encoding: 'windows-1252' },
      { encoding: 'iso-8859-1' },
      { footerLines: 1 },
      { footerLines: 2 },
      { lineEnd: 'cr' },
      { lineEnd: 'cr', dialect: { quote: '' } },
    ]
    expect(new Set(await Promise.all(readings.map(stateOf))).size).toBe(readings.length)
    expect(await stateOf({ encoding: 'utf-8', dialect: { delimiter: ';' } })).toBe(await stateOf({}))
  })

  it('of which the bytes are not what is read has no ranges, and messages do not refer to it', async () => {
    const files = {
      'plain.csv': Buffer.from('a\n'),
      'marked.csv': Buffer.from('\ufeffa\n'),
      'empty.csv': Buffer.of(),
      'utf16.csv': Buffer.from('\ufeffa\n', 'utf16le'),
      'gzip.csv': gzipSync(Buffer.from('\ufeffa\n', 'utf16le')),
    }
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(folder, name), bytes)
      const stored = decompressed(new FileSource(join(folder, name), name))
      const isRead = !/utf16|gzip/.test(name)
      for (const [options, isPlain] of [
        [{}, isRead],
        [{ encoding: 'windows-1252' }, false],
        [{ footerLines: 1 }, false],
        [cr(), false],
      ] as const) {
        const source = textSource(stored, options)
        await using ranges = await source.ranges()
        expect([name, ranges !== undefined], JSON.stringify(options)).toEqual([name, isPlain])
        expect(await source.reference(folder)).toBe(isPlain ? name : undefined)
      }
    }
  })
})
