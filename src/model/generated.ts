/** Values of generated columns. */
import type { Fault } from '../core/fault.ts'
import type { CellDecoder, Generated } from './columns.ts'
import { Zone } from './decode/zone.ts'
import type { RowWriter } from './writer.ts'

/** As `Origin` of a record. */
interface Source {
  keyOf(record: number): string
  readonly at: number
}

type Generate = (source: Source, record: number, writer: RowWriter) => Fault | undefined

const msPerDay = 86_400_000

/** Of values that do not follow from others of their row. */
export function generatorOf(
  generated: Exclude<Generated, { readonly value: 'derived' }>,
  decode: CellDecoder,
): Generate {
  switch (generated.value) {
    case 'recordKey':
      return (source, record, writer) => {
        const bytes = Buffer.from(source.keyOf(record))
        return decode(bytes, 0, bytes.length, writer)
      }
    case 'processedAt':
      return ({ at }, _, writer) => {
        const days = Math.floor(at / msPerDay)
        writer.timestamp(days, Math.round((at - days * msPerDay) * 1000))
        return undefined
      }
    case 'processedOn': {
      const dayOf = dayIn(generated.zone)
      return ({ at }, _, writer) => {
        writer.date(dayOf(at))
        return undefined
      }
    }
  }
}

/**
 * The day of an instant in a zone, in days since 1970-01-01. Cached per second, because consecutive records
 * mostly share it and Intl takes microseconds.
 */
function dayIn(zoneName: string): (at: number) => number {
  const zone = new Zone(zoneName)
  let lastSecond = Number.NaN
  let lastDay = 0
  return (at) => {
    const second = Math.floor(at / 1000)
    if (second !== lastSecond) {
      lastSecond = second
      lastDay = Math.floor((second + zone.offsetAt(second)) / 86_400)
    }
    return lastDay
  }
}
