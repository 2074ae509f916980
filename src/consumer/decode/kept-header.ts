/** What the dead letter of a model with masked columns says of its body, in a header of its own. */
import { type Model, sourceNames } from '../../model/model.ts'
import type { Headers } from '../../queue/queue.ts'

export type MaskedBody =
  /** So many bytes came, and none was kept. */
  | { readonly v: 1; readonly bytes: number }
  | {
      readonly v: 1
      /** Fields whose values are masks. */
      readonly masked: readonly string[]
      /** Fields of which a value was redacted. */
      readonly redacted: readonly string[]
      /** sha256 of each original record, where each record has a key. */
      readonly records?: readonly string[] | undefined
      /** The body is an array of the records alone, without what stood around them. */
      readonly isApart?: boolean
    }

/** The header is ours alone: of a message that comes it is never believed, and never kept. */
const maskedHeader = 'lading-masked'

export const maskedHeaders = (body: MaskedBody): Headers => ({ [maskedHeader]: JSON.stringify(body) })

export const withoutMaskedHeader = (headers: Headers): Headers =>
  Object.hasOwn(headers, maskedHeader)
    ? Object.fromEntries(Object.entries(headers).filter(([name]) => name !== maskedHeader))
    : headers

/** Undefined where the original body was kept. */
export function maskedBodyOf(letter: { readonly headers: Headers }): MaskedBody | undefined {
  const text = Object.hasOwn(letter.headers, maskedHeader) ? letter.headers[maskedHeader] : undefined
  return text === undefined ? undefined : (JSON.parse(text) as MaskedBody)
}

/** The model as it reads bytes in which the fields are masked already. */
export function withoutMasks<M extends Model>(model: M, fields: readonly string[]): M {
  const columns = model.columns.map((column) =>
    sourceNames(column).some((field) => fields.includes(field)) ? { ...column, mask: undefined } : column,
  )
  return { ...model, columns }
}
