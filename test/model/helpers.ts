import fc from 'fast-check'
import { expect } from 'vitest'
import type { Cells } from '../../src/core/cells.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { Column } from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { RecordDecoder } from '../../src/model/record.ts'
import type { Value } from '../../src/model/value.ts'
import { ValueWriter } from '../../src/model/value-writer.ts'

/** Cells as a reader offers them, `around` before, between and after them; null is an unquoted empty cell. */
export function cellsOf(texts: readonly (string | null)[], around = ''): Cells {
  const gap = Buffer.from(around)
  const parts = texts.map((text) => Buffer.from(text ?? ''))
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  let at = gap.length
  for (const [i, part] of parts.entries()) {
    starts[i] = at
    ends[i] = at + part.length
    at += part.length + gap.length
  }
  const quoting = Uint8Array.from(texts, (text) => (text === null ? 0 : 1))
  const bytes = Buffer.concat([gap, ...parts.flatMap((part) => [part, gap])])
  return { bytes, count: texts.length, starts, ends, quoting, unescaped: () => expect.unreachable() }
}

/** One record of a model: its values, or why there are none. */
export function decodeCells(model: Model, fields: readonly string[], cells: Cells): readonly Value[] | Fault {
  const writer = new ValueWriter(model)
  const fault = new RecordDecoder(model, fields, writer).decode(cells)
  if (fault !== undefined) expect(writer.values).toEqual([])
  return fault ?? writer.values
}

/**
 * What else the bytes may hold next to a cell: whatever could go on with a number or a time if somebody read
 * too far.
 */
const surroundings = ['', '"', '-', '+5', '5', '.5', ':30', 'Z', ' +08', 'e1', '0']

/** What a column makes of a text, wherever in the bytes it lies. */
export function outcome(column: Column, text: string): Value | Fault {
  const model = defineModel({ table: 't', columns: { value: column } })
  const [result, ...others] = surroundings.map((around) => {
    const decoded = decodeCells(model, ['value'], cellsOf([text], around))
    return 'code' in decoded ? decoded : (decoded[0] as Value)
  })
  for (const other of others) expect(other).toEqual(result)
  return result as Value | Fault
}

/** As `outcome`, with the code alone where the text is refused. */
export function verdict(column: Column, text: string): Value | { readonly refused: string } {
  const result = outcome(column, text)
  return typeof result === 'object' && result !== null ? { refused: result.code } : result
}

/**
 * Text of any characters that UTF-8 can hold; the same as `unit: 'binary'`, which takes seconds to prepare.
 */
export const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x2ff }),
      fc.integer({ min: 0, max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10ffff }),
    ),
  )
  .map((points) => String.fromCodePoint(...points))
