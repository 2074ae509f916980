/** What tells, without reading a source, that its plan is known. */
import { hash } from 'node:crypto'
import type { Stamp } from '../source/source.ts'
import type { HeadOptions } from './plan.ts'
import type { ReadSource } from './reading.ts'

/** Characters of base64url: 132 bits. */
const clueLength = 22

/**
 * A clue stands for all that a plan follows from: the queue and the target that it is for, the name and the
 * stamp of the source, how it is read, and the model. So a source with the clue of a plan has that plan.
 */
export class Clues {
  readonly #given: string
  /** Mostly all sources have the same one, which is then one object. */
  #last: { readonly reading: object; readonly given: string } | undefined

  /** `scope` and `pipeline` are those of the producer's state. */
  constructor(
    scope: string,
    pipeline: string,
    { model, ofTable, ignoreExtra = false, namesColumns }: HeadOptions,
  ) {
    this.#given = JSON.stringify([scope, pipeline, model.fingerprint, ofTable, ignoreExtra, namesColumns])
  }

  of({ name, reading }: Pick<ReadSource, 'name' | 'reading'>, { text }: Stamp): string {
    if (this.#last?.reading !== reading)
      this.#last = { reading, given: `${this.#given}\n${JSON.stringify(reading)}` }
    return hash('sha256', `${this.#last.given}\n${text}\n${name}`, 'base64url').slice(0, clueLength)
  }
}
