/**
 * What every format promises, as a function over formats: it splits a source and reads its chunks into the
 * same records whatever the bytes, its cells are those of an independent reader, and what a person sees of a
 * record fits what is read.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cellBytes,
  type Format,
  LadingError,
  type Layout,
  type RecordReader,
  type Splitter,
  unquoted,
  type WantedField,
} from 'lading'

export type Values = readonly (string | null)[]

export interface FormatUnderTest {
  readonly format: Format
  readonly layout: Layout
  /** In the layout where it has fields. */
  readonly fields: readonly string[]
  readonly splitter?: () => Splitter
  /** Texts that a value may be; by default of any characters. */
  readonly texts?: fc.Arbitrary<string>
  /** A source with this body: what stands before its first record, and after its last one. */
  readonly around: readonly [string, string]
  /** Bodies of the characters that decide, so that short ones meet every rule in every order. */
  readonly anyBody: fc.Arbitrary<string>
  /** How records of these values are written, in any way that the format allows. */
  readonly written: (records: readonly Values[]) => fc.Arbitrary<string>
  /** What an independent reader makes of a body that is `written`. */
  readonly oracle: (body: string) => readonly Values[]
  /** What records are exported as, where that is another format. */
  readonly exported?: { readonly format: Format; readonly layout: Layout }
}

interface ReadRecord {
  readonly values: Values
  readonly fault: string | undefined
  readonly bytes: string
  /** Index after it in its chunk, without a line end. */
  readonly end: number
}

const lf = 0x0a

const anyText = fc
  .array(
    fc.constantFrom('a', 'B', '0', '"', '\\', ',', ':', '\t', '\n', '\r\n', ' ', '{', ']', '☃', '😀', "'"),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(''))

const pieces = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })

export function formatContract(name: string, under: FormatUnderTest): void {
  const { format, layout, fields, texts: text = anyText } = under
  const wanted: WantedField[] = fields.map((field) => ({ name: field, take: 'text' }))
  const reader = format.reader(layout, wanted, true)
  const values = fc.tuple(...fields.map(() => fc.oneof(text, fc.constant(null))))
  // A record without any value may be a blank line.
  const records = fc.array(
    values.filter((each) => each.some((value) => value !== null && value !== '')),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  const legal = records.chain((each) => under.written(each))

  describe(name, { timeout: 60_000 }, () => {
    const { splitter } = under
    if (splitter !== undefined)
      it('splits a source into chunks of at least min that are read as the records and lines that the splitter counts, whatever the bytes', () => {
        let compared = 0
        const [head, tail] = under.around
        fc.assert(
          fc.property(
            fc.oneof(under.anyBody, legal),
            pieces,
            fc.integer({ min: 1, max: 30 }),
            (body, sizes, min) => {
              const source = Buffer.from(`${head}${body}${tail}`)
              const chunks = chunksOf(splitter(), source, sizes, min)
              if (chunks === undefined) return
              compared++
              const all: ReadRecord[] = []
              for (const { bytes, count, lines, start } of chunks) {
                const read = readAll(reader, bytes)
                expect(read, String(bytes)).toHaveLength(count)
                const before = source.subarray(0, start + bytes.length)
                expect(lines, 'LF bytes so far').toBe(before.filter((byte) => byte === lf).length)
                for (const { end } of read.slice(0, -1)) expect(end, 'cut before here').toBeLessThan(min)
                if (start + bytes.length < source.length) expect(bytes.length).toBeGreaterThanOrEqual(min)
                all.push(...read.map((record) => ({ ...record, end: record.end + start })))
              }
              const start = chunks[0]?.start ?? source.length
              const whole = readAll(reader, source.subarray(start))
              expect(all).toEqual(whole.map((record) => ({ ...record, end: record.end + start })))
            },
          ),
          { numRuns: 5_000 },
        )
        expect(compared).toBeGreaterThan(1_000)
      })

    it('reads the values that an independent reader reads', () => {
      fc.assert(
        fc.property(legal, (body) => {
          const read = readAll(reader, Buffer.from(body))
          expect(read.filter(({ fault }) => fault !== undefined)).toEqual([])
          expect(read.map((record) => record.values)).toEqual(under.oracle(body))
        }),
        { numRuns: 600 },
      )
    })

    it('reads as a fresh reader does, whatever was read before', () => {
      fc.assert(
        fc.property(under.anyBody, under.anyBody, (before, body) => {
          readAll(reader, Buffer.from(before))
          const fresh = format.reader(layout, wanted, true)
          expect(readAll(reader, Buffer.from(body))).toEqual(readAll(fresh, Buffer.from(body)))
        }),
        { numRuns: 300 },
      )
    })

    it('reads a record by itself as it was read among others, also behind the line end of an editor', () => {
      fc.assert(
        fc.property(legal, fc.constantFrom('', '\n', '\r\n'), (body, lineEnd) => {
          for (const record of readAll(reader, Buffer.from(body))) {
            const edited = format.record.trimmed(Buffer.from(`${record.bytes}${lineEnd}`), layout)
            reader.openOne(edited)
            expect(reader.fault).toBeUndefined()
            expect(valuesOf(reader)).toEqual(record.values)
          }
        }),
        { numRuns: 500 },
      )
    })

    it('refuses two records where one is expected', () => {
      fc.assert(
        fc.property(legal, (body) => {
          const [record] = readAll(reader, Buffer.from(body))
          reader.openOne(Buffer.from(`${record?.bytes}\n${record?.bytes}`))
          expect(reader.fault).toBeDefined()
          const both = Buffer.from(`${record?.bytes}\n${record?.bytes}`)
          expect(format.record.rewrite(both, layout, () => 'x')).toBeUndefined()
        }),
        { numRuns: 500 },
      )
    })

    it('replaces the values that it is told to replace, and leaves every other byte', () => {
      fc.assert(
        fc.property(legal, fc.nat(fields.length - 1), text, (body, cell, other) => {
          for (const record of readAll(reader, Buffer.from(body))) {
            const bytes = Buffer.from(record.bytes)
            const seen = new Map<string, string | null>()
            const same = format.record.rewrite(bytes, layout, (field, value) => {
              seen.set(field, value.kind === 'null' ? null : value.bytes.toString())
              return undefined
            })
            expect(same?.toString()).toBe(record.bytes)
            expect(fields.map((field) => seen.get(field) ?? null)).toEqual(record.values)
            const field = fields[cell] as string
            const changed = format.record.rewrite(bytes, layout, (each) =>
              each === field ? other : undefined,
            )
            reader.openOne(changed as Buffer)
            const expected = record.values.map((value, index) =>
              index === cell && seen.has(field) ? other : value,
            )
            expect(valuesOf(reader).map((value) => value ?? '')).toEqual(expected.map((value) => value ?? ''))
          }
        }),
        { numRuns: 300 },
      )
    })

    it('finds the place of a value, which holds it and no other', () => {
      fc.assert(
        fc.property(legal, fc.nat(fields.length - 1), (body, cell) => {
          const field = fields[cell] as string
          for (const record of readAll(reader, Buffer.from(body))) {
            const bytes = Buffer.from(record.bytes)
            const span = format.record.locate(bytes, layout, field, layout.fields.indexOf(field))
            const changed = format.record.rewrite(bytes, layout, (each) =>
              each === field ? 'new' : undefined,
            )
            if (span === undefined) expect(record.values[cell]).toBeNull()
            else {
              const kept = [bytes.subarray(0, span.start), bytes.subarray(span.end)].map(String)
              expect(changed?.toString().startsWith(kept[0] as string)).toBe(true)
              expect(changed?.toString().endsWith(kept[1] as string)).toBe(true)
            }
          }
        }),
        { numRuns: 500 },
      )
    })

    it('exports records to a file from which they are read as they were', () => {
      const to = under.exported ?? { format, layout }
      const again = to.format.reader(to.layout, wanted, true)
      fc.assert(
        fc.property(legal, (body) => {
          const read = readAll(reader, Buffer.from(body))
          const lines = read.map(({ bytes }) => `${format.record.line(Buffer.from(bytes), layout, false)}\n`)
          const back = readAll(again, Buffer.from(lines.join('')))
          expect(back.map((record) => record.values)).toEqual(read.map((record) => record.values))
        }),
        { numRuns: 500 },
      )
    })
  })
}

function readAll(reader: RecordReader, body: Buffer): ReadRecord[] {
  expect(reader.open(body)).toBeUndefined()
  const records: ReadRecord[] = []
  while (reader.next()) {
    const { recordStart, recordEnd, fault } = reader
    const values = fault === undefined ? valuesOf(reader) : []
    records.push({
      values,
      fault: fault?.code,
      bytes: body.toString('utf8', recordStart, recordEnd),
      end: recordEnd,
    })
  }
  expect(reader.next()).toBe(false)
  return records
}

const valuesOf = (reader: RecordReader): Values =>
  Array.from({ length: reader.count }, (_, cell) => {
    const isNull = reader.quoting[cell] === unquoted && reader.starts[cell] === reader.ends[cell]
    return isNull ? null : cellBytes(reader, cell).toString()
  })

/** Cuts a source as the producer does; undefined where its structure has a fault. */
function chunksOf(splitter: Splitter, source: Buffer, sizes: readonly number[], min: number) {
  const chunks: { bytes: Buffer; count: number; lines: number; start: number }[] = []
  let start = -1
  let counted = 0
  const close = (end: number) => {
    const { records, lines } = splitter
    chunks.push({ bytes: source.subarray(start, end), count: records - counted, lines, start })
    start = end
    counted = records
  }
  try {
    for (let at = 0, index = 0; at < source.length; index++) {
      const piece = source.subarray(at, at + (sizes[index % sizes.length] as number))
      let from = splitter.begin(piece)
      if (splitter.isPastHead && start < 0) start = at + from
      while (start >= 0 && from < piece.length) {
        const end = splitter.cut(from, from + Math.max(0, min - (at + from - start)))
        if (end < 0) break
        from = end
        close(at + end)
      }
      at += piece.length
    }
    splitter.finish()
  } catch (error) {
    if (error instanceof LadingError) return undefined
    throw error
  }
  if (start >= 0 && start < source.length) close(source.length)
  return chunks
}
