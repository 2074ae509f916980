/** The API's answers to the page: plain JSON values. Their texts are untrusted data. */
import type { Code } from '../core/errors.ts'
import type { Receipt, StoredDeadLetter, StoredReject } from '../sink/ledger.ts'

/** A receipt, and how its load stands. */
export type LoadAnswer = Receipt & {
  readonly open: number
  readonly problems: readonly string[]
  /** `wrong` does not add up; `open` has records without a verdict, and nobody is seen at work. */
  readonly outcome: 'loading' | 'open' | 'complete' | 'rejects' | 'wrong'
  /** From its first batch to its last verdict; missing until it has them all. */
  readonly tookMs?: number | undefined
  readonly perSecond?: number | undefined
}

/** A page of a list. */
export interface ListAnswer<Item> {
  readonly items: readonly Item[]
  /** There may be more after this id: the page is full, or the search has reached its time limit. */
  readonly next?: number | undefined
}

/** A line of a list; the text of the record or message is only in `KeptAnswer`. */
export interface KeptItem {
  readonly id: number
  /** Source and line, or the key of a message. */
  readonly place: string
  readonly loadId?: string | undefined
  readonly code: Code
  /** The code in words; empty for one of a newer version. */
  readonly meaning: string
  readonly column?: string | undefined
  readonly detail: string
  readonly state: StoredReject['state'] | StoredDeadLetter['state']
  /** ISO 8601. */
  readonly at: string
}

export interface KeptAnswer extends KeptItem {
  readonly advice: string
  /** More names and values that help a person find it. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** Of a reject. */
  readonly record?: RecordAnswer | undefined
  /** Of a dead letter. */
  readonly message?: MessageAnswer | undefined
}

export interface RecordAnswer {
  /** The stored record, split around its fault; without a known place all of it is in `before`. */
  readonly text: { readonly before: string; readonly fault?: string | undefined; readonly after: string }
  /** Bytes left out at its end. */
  readonly cut: number
  /** Where a person has corrected the record: as it was, or the beginning of that. */
  readonly original?: string | undefined
  /** Undefined if it is not open any more. */
  readonly editing?: Editing | undefined
}

/** What can be corrected, and how. */
export interface Editing {
  /** Of the record that is shown, so that no correction is made of another one. */
  readonly version: string
  /** The cells of a record whose layout names them. */
  readonly fields?: readonly EditedField[] | undefined
  /** The whole record; undefined if it cannot be edited as text. */
  readonly text?: string | undefined
  /** What a person should know, such as why the record cannot be edited here. */
  readonly note?: string | undefined
  /** Whether the original can take the place of the correction again. */
  readonly canUndo: boolean
}

export interface EditedField {
  readonly name: string
  /** Undefined if the bytes are not text. */
  readonly text?: string | undefined
  readonly isBad: boolean
}

export interface MessageAnswer {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: BodyAnswer
}

/** The beginning of a body. */
export interface BodyAnswer {
  readonly form: 'json' | 'text' | 'binary'
  /** Size of the whole body, and of the part that is shown. */
  readonly bytes: number
  readonly shown: number
  /** Binary: as lines of hexadecimal numbers. */
  readonly text: string
  /** Of a chunk whose records have named cells. */
  readonly records?: RecordsAnswer | undefined
}

export interface RecordsAnswer {
  readonly fields: readonly string[]
  /** A record that cannot be read is one cell. */
  readonly rows: readonly (readonly string[])[]
}

/** Why records fail, the most frequent first. */
export interface Reason {
  readonly code: Code
  readonly column?: string | undefined
  readonly rejects: number
}

export interface Outcome {
  readonly id: number
  readonly outcome: 'replayed' | 'duplicate' | 'discarded' | 'refused' | 'gone'
  readonly detail: string
}
