/**
 * A call of a server that is under way. It waits until the schedule says that it is done, and how: with its effect and an
 * answer, with an effect whose answer comes later or never, or with an error.
 */
import { type Code, codes, LadingError } from '../src/core/errors.ts'
import type { Event, Kind } from './choices.ts'
import type { Clock, Timer } from './clock.ts'

/** Of what happens by itself. */
export const nobody = 0

/** A call of a server. */
export interface Call<T> {
  readonly name: string
  /** Which messages it is about, for people. */
  readonly about?: string
  /** What the server does; an error that it throws is the answer. */
  readonly effect: () => T
  /** What it may do as well. */
  readonly others?: readonly { readonly name: string; readonly kind?: Kind; readonly effect: () => T }[]
  /** What it may answer before it is ready, for no reason. */
  readonly early?: { readonly name: string; readonly value: T }
  /** How it may fail without an effect. */
  readonly errors?: readonly Code[]
  /** What the caller hears where no answer comes. */
  readonly lost: Code
  readonly isAway?: () => boolean
  /** The server is reached, and does and answers nothing. */
  readonly isSilent?: () => boolean
  /** The server does nothing before. */
  readonly isReady?: () => boolean
  readonly signal?: AbortSignal | undefined
  /** What a caller that gives up gets, in place of an error. */
  readonly aborted?: T
  /** What the caller makes of it if there is no answer for so long. */
  readonly timeout?: { readonly ms: number; readonly give: () => T }
  /** It dies with its caller: nothing of it comes late. */
  readonly isOfSession?: boolean
  /** After so long without an answer that the server has given, the client gives the session up. */
  readonly patienceMs?: number
  /** It fails without an effect, or its session is gone. */
  readonly dropped?: () => void
}

const kindOf = (code: Code): Kind => {
  const { action } = codes[code]
  return action === 'halt' ? 'halt' : action === 'split' ? 'split' : 'passing'
}

export type Answer<T> = { readonly value: T } | { readonly error: unknown }

function answerOf<T>(effect: () => T): Answer<T> {
  try {
    return { value: effect() }
  } catch (error) {
    return { error }
  }
}

export interface Pending {
  readonly owner: number
  readonly call: Pick<Call<unknown>, 'lost'>
  /** The server has acted, and its answer is on the way. */
  readonly isWithEffect: boolean
  readonly options: readonly Event[]
  readonly early: Event | undefined
  leave(): void
  disconnect(): void
}

/** Where calls are under way. */
export interface Host {
  readonly clock: Clock
  readonly operations: Set<Pending>
  /** Set where events are described for people. */
  readonly trace: string[] | undefined
  count(name: string): void
}

export class Operation<T> implements Pending {
  owner: number
  readonly call: Call<T>
  readonly #host: Host
  readonly #give: (answer: Answer<T>) => void
  readonly #calledAt: number
  #timer: Timer | undefined
  #isWithEffect = false
  #isLeft = false
  #options: readonly Event[]

  constructor(host: Host, call: Call<T>, give: (answer: Answer<T>) => void) {
    this.owner = host.clock.owner
    this.call = call
    this.#calledAt = host.clock.now
    this.#host = host
    this.#give = give
    this.#options = this.#asked(call)
    this.#timeOut()
    if (call.signal?.aborted !== true) call.signal?.addEventListener('abort', this.abort)
  }

  get isWithEffect(): boolean {
    return this.#isWithEffect
  }

  /** The likeliest first. */
  get options(): readonly Event[] {
    const { isReady, isAway, isSilent, name, lost } = this.call
    if (isSilent?.() === true) return []
    if (!this.#isWithEffect && isAway?.() === true)
      return this.#isLeft
        ? this.#options.slice(1)
        : [this.#event(`${name}: nobody there`, 'done', () => this.#fail(lost))]
    return this.#isWithEffect || isReady === undefined || isReady() ? this.#options : []
  }

  get early(): Event | undefined {
    const { early, isReady, isSilent } = this.call
    if (
      early === undefined ||
      isSilent?.() === true ||
      this.#isWithEffect ||
      this.#isLeft ||
      isReady?.() !== false
    )
      return undefined
    return this.#event(early.name, 'slow', () => this.#give({ value: early.value }))
  }

  #timeOut(): void {
    const { name, timeout } = this.call
    const { clock } = this.#host
    if (timeout === undefined) return
    this.#timer = clock.add(this.#calledAt + timeout.ms - clock.now, () => {
      this.#host.count(`${name}: no answer`)
      this.leave()
      this.#give(answerOf(timeout.give))
    })
  }

  #asked({ name, effect, others = [], errors = [], lost }: Call<T>): Event[] {
    return [
      this.#event(name, 'done', () => this.#give(answerOf(effect))),
      ...others.map((other) =>
        this.#event(other.name, other.kind ?? 'slow', () => this.#give(answerOf(other.effect))),
      ),
      this.#event(`${name}, answer later`, 'slow', () => this.#answerLater(answerOf(effect))),
      this.#event(`${name}, answer lost`, 'lost', () => {
        answerOf(effect)
        this.#fail(lost)
      }),
      ...errors.map((code) => this.#event(`${name}: ${code}`, kindOf(code), () => this.#fail(code))),
    ]
  }

  #answerLater(answer: Answer<T>): void {
    const { name, lost, signal, isOfSession, patienceMs } = this.call
    this.#isWithEffect = true
    this.#options = [
      this.#event(`answer to ${name}`, 'done', () => this.#give(answer)),
      this.#event(`answer to ${name} lost`, 'lost', () => this.#fail(lost)),
    ]
    // A session that waits for messages or locks on the server waits no more.
    if (isOfSession !== true) this.#timeOut()
    else if (patienceMs !== undefined)
      this.#timer = this.#host.clock.add(patienceMs, () => {
        this.#host.count(`answer to ${name}: none`)
        this.disconnect()
      })
    signal?.addEventListener('abort', this.abort)
    this.#host.operations.add(this)
  }

  /** The caller does not wait any more. What it asked for may happen all the same. */
  leave(): void {
    this.#end()
    this.owner = nobody
    this.#isLeft = true
    const { name, effect, dropped, isOfSession } = this.call
    if (this.#isWithEffect || isOfSession === true) return dropped?.()
    this.#options = [
      this.#event(`${name}, late`, 'late', () => answerOf(effect)),
      this.#event(`${name}, never`, 'drop', () => dropped?.()),
    ]
    this.#host.operations.add(this)
  }

  readonly abort = () => {
    if (this.#host.operations.has(this)) this.leave()
    else this.#end()
    this.#give('aborted' in this.call ? { value: this.call.aborted as T } : this.#failed(this.call.lost))
  }

  /** The connection is lost. What was asked for may happen all the same. */
  disconnect(): void {
    this.leave()
    this.#give(this.#failed(this.call.lost))
  }

  #fail(code: Code): void {
    this.call.dropped?.()
    this.#give(this.#failed(code))
  }

  #end(): void {
    this.#host.operations.delete(this)
    this.#host.clock.remove(this.#timer)
    this.call.signal?.removeEventListener('abort', this.abort)
  }

  #event(name: string, kind: Kind, act: () => void): Event {
    const ended = () => {
      this.#end()
      this.#host.clock.owner = this.owner
      act()
    }
    return {
      name,
      kind,
      act: ended,
      about: this.#host.trace && `${this.call.about ?? ''} (process ${this.owner})`,
    }
  }

  #failed(code: Code): Answer<T> {
    return { error: new LadingError(code, `${this.call.name} fails, says the schedule`) }
  }
}
