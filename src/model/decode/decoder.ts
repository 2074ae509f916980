import type { Fault } from '../../core/fault.ts'
import type { ColumnType } from '../columns.ts'
import type { RowWriter } from '../writer.ts'
import { decodeBigint, decodeDouble, decodeInteger, numericDecoder } from './number.ts'
import { decodeBoolean, decodeCustom, decodeJson, decodeText, decodeUuid, varcharDecoder } from './text.ts'
import { decodeDate, decodeTimestamp, timestamptzDecoder } from './time.ts'

/** Reads one value from the bytes of a cell and writes it, or says why it cannot and writes nothing. */
export type CellDecoder = (bytes: Buffer, start: number, end: number, writer: RowWriter) => Fault | undefined

export function decoderOf(type: ColumnType): CellDecoder {
  switch (type.kind) {
    case 'text':
      return decodeText
    case 'varchar':
      return varcharDecoder(type.length)
    case 'integer':
      return decodeInteger
    case 'bigint':
      return decodeBigint
    case 'double':
      return decodeDouble
    case 'numeric':
      return numericDecoder(type.precision, type.scale)
    case 'boolean':
      return decodeBoolean
    case 'date':
      return decodeDate
    case 'timestamp':
      return decodeTimestamp
    case 'timestamptz':
      return timestamptzDecoder(type.zone)
    case 'uuid':
      return decodeUuid
    case 'json':
      return decodeJson
    case 'custom':
      return decodeCustom
  }
}
