/** A type of which a column keeps some texts alone: what it would change has to be refused before. */
import type { Fault } from '../core/fault.ts'
import { found } from '../core/found.ts'
import type { ColumnType } from './columns.ts'

export type Check = (bytes: Buffer, start: number, end: number) => boolean

/** The type, of whose texts only those are taken for which the check holds. */
export function checked(type: ColumnType, holds: Check, what: string): ColumnType {
  return {
    ...type,
    decoder: () => {
      const decode = type.decoder()
      return (bytes, start, end, writer) =>
        holds(bytes, start, end) ? decode(bytes, start, end, writer) : refused(bytes, start, end, what)
    },
  }
}

const refused = (bytes: Buffer, start: number, end: number, what: string): Fault => ({
  code: 'VALUE_REFUSED',
  detail: `${found(bytes, start, end)} is not ${what}`,
})
