/** What every column type promises, as tests. */
import { type Column, defineModel, type Fault, RecordDecoder, type RowWriter } from 'lading'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

export interface TypeUnderTest {
  /** Without a default and not `notNull`. */
  readonly column: Column
  /** Texts of a source, and the text of each value that the column then holds. */
  readonly accepts: readonly (readonly [text: string, value: string])[]
  /** Texts that are refused. */
  readonly refuses: readonly string[]
}

/** What may stand next to a cell: whatever a decoder would go on with if it read too far. */
const surroundings = ['', '"', '-', '5', '.5', ':30', 'Z', ' ', 'e1', 'a']

export function columnTypeContract(name: string, { column, accepts, refuses }: TypeUnderTest): void {
  describe(`${name}: column type contract`, { timeout: 60_000 }, () => {
    it.each(accepts)('%j is decoded, whatever stands next to it', (text, value) => {
      for (const around of surroundings)
        expect(decoded(column, Buffer.from(text), around)).toEqual({ values: [value], fault: undefined })
    })

    it.each(refuses)('%j is a fault that says why, and nothing is written', (text) => {
      for (const around of surroundings) {
        const { values, fault } = decoded(column, Buffer.from(text), around)
        expect(values).toEqual([])
        expect(fault).toMatchObject({ column: 'value', detail: expect.stringMatching(/^[^\n]{1,300}$/) })
      }
    })

    it('any bytes are one value or one fault', () => {
      const near = fc.constantFrom(...accepts.map(([text]) => text), ...refuses)
      const edited = fc
        .tuple(near, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }))
        .map(([text, at, more]) => `${text.slice(0, at % (text.length + 1))}${more}`)
      const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), edited)
      fc.assert(
        fc.property(texts, (text) => {
          const { values, fault } = decoded(column, Buffer.from(text), '')
          expect(values.length + (fault === undefined ? 0 : 1)).toBe(1)
        }),
      )
    })

    it('a missing value is NULL, a fault where the column must have one, and may have a default', () => {
      expect(decoded(column, null, '').values).toEqual(['null'])
      expect(decoded(column.notNull(), null, '').fault).toMatchObject({ code: 'NULL_NOT_ALLOWED' })
      const [[text, value] = ['', '']] = accepts
      expect(decoded(column.default(text as never), null, '').values).toEqual([value])
      expect(decoded(column.nullIf(text), Buffer.from(text), '').values).toEqual(['null'])
    })

    it('a default that is no value of the type is refused with the model', () => {
      const columns = { value: column.default((refuses.find((text) => text !== '') ?? '') as never) }
      expect(() => defineModel({ table: 't', columns })).toThrow(
        expect.objectContaining({ code: 'MODEL_INVALID' }),
      )
    })
  })
}

/** What the column makes of a cell, quoted unless it is null, with `around` before and behind it. */
function decoded(
  column: Column,
  cell: Buffer | null,
  around: string,
): { values: readonly string[]; fault: Fault | undefined } {
  const values: string[] = []
  const gap = Buffer.from(around)
  const bytes = Buffer.concat([gap, cell ?? Buffer.alloc(0), gap])
  const model = defineModel({ table: 't', columns: { value: column } })
  const fault = new RecordDecoder(model, ['value'], writerOf(values)).decode({
    bytes,
    count: 1,
    starts: Int32Array.of(gap.length),
    ends: Int32Array.of(bytes.length - gap.length),
    quoting: Uint8Array.of(cell === null ? 0 : 1),
    unescaped: () => bytes,
  })
  return { values, fault }
}

/** Keeps each value as a text. */
function writerOf(values: string[]): RowWriter {
  const bytesAsText = (bytes: Buffer, start: number, end: number) =>
    void values.push(bytes.toString('utf8', start, end))
  const asText = (...parts: readonly unknown[]) => void values.push(parts.map(String).join(' '))
  return {
    startRow: () => undefined,
    endRow: () => undefined,
    dropRow: () => void (values.length = 0),
    null: () => void values.push('null'),
    boolean: asText,
    integer: asText,
    bigint: (high, low) => asText((BigInt(high) << 32n) | BigInt(low)),
    double: asText,
    numeric: bytesAsText,
    date: asText,
    timestamp: asText,
    time: asText,
    bytea: (bytes, start, end) => asText(bytes.toString('hex', start, end)),
    uuid: (bytes) => asText(bytes.toString('hex')),
    text: bytesAsText,
    json: bytesAsText,
    custom: asText,
  }
}
