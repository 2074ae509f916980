/** What the processes of a round load: drawn from the seed, written piece by piece, and remembered for the oracle. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Input, InputLoad, InputRecord, Policy, Row } from './oracle.ts'

export type Format = 'csv' | 'ndjson' | 'messages'

/** How a round goes. */
export interface Plan {
  readonly policy: Policy
  /** `messages` are those of another program. */
  readonly format: Format
  readonly carry: 'bytes' | 'reference'
  /** The indexes are built at the end, by one process that does it all. */
  readonly isDeferred: boolean
  /** That send the same files. */
  readonly producers: 1 | 2
  /** Rejects are corrected and replayed meanwhile. */
  readonly replays: boolean
}

/** A message of another program, as `send.ts` sends it. */
export interface Message {
  readonly key: string
  readonly body: string
}

const recordsPerFile = 1_500
const recordsPerMessage = 5
const messagesPerFile = 150
/** Of the records and messages of other files, in small ones. */
const smallShare = 0.2
const families = 20
/** Of the records. */
const badShare = 0.01
const againShare = 0.04

export class Content {
  readonly plan: Plan
  readonly #share: number
  readonly #folder: string
  readonly #random: () => number
  readonly #records: InputRecord[] = []
  readonly #loads: InputLoad[] = []
  /** Keys that may come again. */
  readonly #keys: Pick<Row, 'family' | 'n'>[] = []
  files = 0

  constructor(plan: Plan, folder: string, random: () => number, hasSmallFiles: boolean) {
    this.plan = plan
    this.#share = hasSmallFiles ? smallShare : 1
    this.#folder = folder
    this.#random = random
  }

  get input(): Input {
    return { policy: this.plan.policy, records: this.#records, loads: this.#loads }
  }

  /** Writes the next file, which is there as a whole or not at all. */
  async write(): Promise<void> {
    const number = this.files++
    const text = this.plan.format === 'messages' ? this.#messages(number) : this.#file(number)
    const path = filePath(this.#folder, number, this.plan.format)
    await writeFile(`${path}.part`, text)
    await rename(`${path}.part`, path)
  }

  #file(number: number): string {
    const { format } = this.plan
    const source = fileName(number, format)
    const isCsv = format === 'csv'
    const lines = isCsv ? ['family,n,version,note'] : []
    const records = recordsPerFile * this.#share
    for (let record = 0; record < records; record++) {
      const { text, ...made } = this.#record(isCsv, true)
      lines.push(text)
      this.#records.push({ ...made, place: `${source}:${lines.length}` })
    }
    this.#loads.push({ source, records })
    return `${lines.join('\n')}\n`
  }

  /** Objects, arrays and lines by turns. */
  #messages(number: number): string {
    const messages = Array.from({ length: messagesPerFile * this.#share }, (_, index): Message => {
      // A group of an ordered queue is what stands before the slash.
      const family = this.#family()
      const key = `${family}/${number}-${index}`
      const count = index % 3 === 0 ? 1 : recordsPerMessage
      // A message in which no record fits would be a dead letter: the first one is good, and its key is its own.
      const made = Array.from({ length: count }, (__, record) => this.#record(false, record > 0, family))
      for (const [record, { text: _text, ...each }] of made.entries())
        this.#records.push({ ...each, place: `${key}:${record + 1}` })
      const texts = made.map(({ text }) => text)
      const body = count === 1 ? texts.join('') : index % 3 === 1 ? `[${texts.join(',')}]` : texts.join('\n')
      return { key, body }
    })
    return JSON.stringify(messages)
  }

  #family(): string {
    return `f${Math.floor(this.#random() * families)}`
  }

  #record(
    isCsv: boolean,
    isFree: boolean,
    family = this.#family(),
  ): Omit<InputRecord, 'place'> & { text: string } {
    const serial = this.#made++
    const key = isFree ? this.#again(family) : undefined
    const row: Row = {
      family: key?.family ?? family,
      n: key?.n ?? serial,
      version: 1 + Math.floor(this.#random() * 1_000_000_000),
      note: `note ${serial}`,
    }
    const isBad = isFree && key === undefined && this.#random() < badShare
    if (!isBad) {
      if (isFree && key === undefined) this.#keys.push(row)
      return { row, text: written(row, isCsv) }
    }
    // `replay.ts` corrects the first of them, and no other.
    const fault = faults[Math.floor(this.#random() * faults.length)] as (typeof faults)[number]
    const isMended = this.plan.replays && fault.code === 'BAD_INTEGER'
    return { row, code: fault.code, text: fault.text(row, isCsv), ...(isMended ? { isMended } : {}) }
  }
  #made = 0

  /** A key that was there before, now and then; of a message in an ordered queue one of its group. */
  #again(family: string): Pick<Row, 'family' | 'n'> | undefined {
    const { policy } = this.plan
    if (policy === 'none' || this.#keys.length === 0 || this.#random() >= againShare) return undefined
    const key = this.#keys[Math.floor(this.#random() * this.#keys.length)]
    return policy === 'last' && key?.family !== family ? undefined : key
  }
}

const written = (
  { family, n, version, note }: Row | (Omit<Row, 'n'> & { n: unknown }),
  isCsv: boolean,
): string => (isCsv ? [family, n, version, note].join(',') : JSON.stringify({ family, n, version, note }))

/** How a record can be bad, and what it is refused with. */
const faults = [
  { code: 'BAD_INTEGER', text: (row: Row, isCsv: boolean) => written({ ...row, n: `bad${row.n}` }, isCsv) },
  { code: 'OUT_OF_RANGE', text: (row: Row, isCsv: boolean) => written({ ...row, n: 99_999_999_999 }, isCsv) },
  {
    code: 'NULL_NOT_ALLOWED',
    text: (row: Row, isCsv: boolean) => written({ ...row, n: isCsv ? '' : null }, isCsv),
  },
] as const

export const fileName = (number: number, format: Format): string =>
  `in-${number}.${format === 'messages' ? 'json' : format}`
export const filePath = (folder: string, number: number, format: Format): string =>
  join(folder, fileName(number, format))

/** Stands in the folder when no more files come. */
export const lastPath = (folder: string): string => join(folder, 'last')
