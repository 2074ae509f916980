/** What `lading doctor` finds before a load: a value, which the command prints. */
import { LadingError, toLadingError } from './errors.ts'

export const subjects = ['database', 'table', 'queue', 'files', 'machine'] as const
/** What a finding is about. */
export type Subject = (typeof subjects)[number]

/** `fail`: a load would not work, or its promise would not hold. `warn`: it is weaker or slower than it could be. */
export type Level = 'ok' | 'note' | 'warn' | 'fail'

/** One thing that `examine` has looked at. */
export interface Finding {
  readonly about: Subject
  readonly level: Level
  readonly what: string
  /** Never holds a secret. */
  readonly detail: string
  /** To be pasted: SQL, a command, a setting. */
  readonly cure?: string | undefined
  readonly costs?: readonly Cost[] | undefined
}

/** What a part of the table costs each batch, as it was measured. */
export interface Cost {
  readonly what: string
  readonly msPer1000: number
  /** Of all that a batch costs the database, from 0 to 1. */
  readonly share: number
  readonly advice?: string | undefined
}

type Make = (what: string, detail: string, cure?: string) => Finding

/** Makes findings about one subject. */
export function findingsAbout(about: Subject): Readonly<Record<Level, Make>> {
  const of =
    (level: Level): Make =>
    (what, detail, cure) => ({ about, level, what, detail, ...(cure !== undefined && { cure }) })
  return { ok: of('ok'), note: of('note'), warn: of('warn'), fail: of('fail') }
}

/** A stop by the person is no finding. */
export function throwStop(thrown: unknown): void {
  if (thrown instanceof LadingError && thrown.code === 'ABORTED') throw thrown
}

/** What stands against a load as an error does: its code and what to do. */
export function failure(about: Subject, what: string, thrown: unknown): Finding {
  throwStop(thrown)
  const { code, message, advice } = toLadingError(thrown)
  return findingsAbout(about).fail(what, `${code}: ${message} (${advice})`)
}

/** A check that failed itself says so, and hides no other. */
export function unchecked(about: Subject, what: string, thrown: unknown): Finding {
  throwStop(thrown)
  return findingsAbout(about).note(what, `it could not be checked: ${toLadingError(thrown).message}`)
}

/** The findings of one check, and what it met. */
export async function checked(
  about: Subject,
  what: string,
  check: (add: (...found: readonly Finding[]) => void) => Promise<void> | void,
): Promise<readonly Finding[]> {
  const found: Finding[] = []
  try {
    await check((...more) => void found.push(...more))
  } catch (thrown) {
    found.push(unchecked(about, what, thrown))
  }
  return found
}
