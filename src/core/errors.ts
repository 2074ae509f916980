/**
 * The error class and the table of codes: what each code means, what the engine does about it, and the exit
 * code of a command that ends on it. Retry policy is a lookup in this table. No place that catches an error
 * decides it.
 */
import type { Action, CodeInfo } from './codes/action.ts'
import { dataCodes } from './codes/data.ts'
import { systemCodes } from './codes/systems.ts'
import { shortened } from './text.ts'

export type { Action, CodeInfo }

/** Every code, with what the engine does about it, the exit code of a command that ends on it, its meaning and advice. */
export const codes = { ...dataCodes, ...systemCodes } as const

/** A code of the table `codes`, such as `BAD_NUMBER`. */
export type Code = keyof typeof codes

/** Exit codes of outcomes that are not errors. */
export const exits = { ok: 0, unbalanced: 1, unfit: 1, rejects: 3 } as const

/**
 * The only error class. `message` is one short line: what happened, and where. It never contains a secret or
 * personal data.
 */
export class LadingError extends Error {
  override readonly name = 'LadingError'
  readonly code: Code
  /**
   * Key of the message that stopped the consumer. Set it aside (`setAside`, `--set-aside`) to process the
   * others.
   */
  readonly stoppedAt: string | undefined
  /** The other side has asked not to be asked again for so many milliseconds. */
  readonly afterMs: number | undefined

  constructor(
    code: Code,
    message: string,
    options?: {
      readonly cause?: unknown
      readonly stoppedAt?: string | undefined
      readonly afterMs?: number | undefined
    },
  ) {
    super(shortened(message), options)
    this.code = code
    this.stoppedAt = options?.stoppedAt
    this.afterMs = options?.afterMs
  }

  get action(): Action {
    return codes[this.code].action
  }

  get exitCode(): number {
    return codes[this.code].exit
  }

  get advice(): string {
    return codes[this.code].advice
  }
}

/** Wraps anything thrown as a `LadingError`; any other error becomes `INTERNAL`. */
export function toLadingError(thrown: unknown): LadingError {
  if (thrown instanceof LadingError) return thrown
  return new LadingError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), {
    cause: thrown,
  })
}
