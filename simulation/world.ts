/**
 * What is under way between processes and servers. Each call waits until the schedule says that it is done, and how:
 * with its effect and an answer, with an effect whose answer comes later or never, or with an error. The clock moves
 * when the schedule says so.
 */
import { type Code, codes, LadingError } from '../src/core/errors.ts'
import type { Choices, Kind, Option } from './choices.ts'
import { Clock, type Timer } from './clock.ts'

export interface Event extends Option {
  readonly about?: string | undefined
  readonly act: () => void
}

/** A call of a server. */
export interface Call<T> {
  readonly name: string
  /** Which messages it is about, for people. */
  readonly about?: string
  /** What the server does; an error that it throws is the answer. */
  readonly effect: () => T
  /** What it may do as well. */
  readonly others?: readonly { readonly name: string; readonly effect: () => T }[]
  /** What it may answer before it is ready, for no reason. */
  readonly early?: { readonly name: string; readonly value: T }
  /** How it may fail without an effect. */
  readonly errors?: readonly Code[]
  /** What the caller hears where no answer comes. */
  readonly lost: Code
  readonly isAway?: () => boolean
  /** The server does nothing before. */
  readonly isReady?: () => boolean
  readonly signal?: AbortSignal | undefined
  /** What a caller that gives up gets, in place of an error. */
  readonly aborted?: T
  /** What the caller makes of it if there is no answer for so long. */
  readonly timeout?: { readonly ms: number; readonly give: () => T }
  /** It dies with its caller: nothing of it comes late. */
  readonly isOfSession?: boolean
  /** It fails without an effect, or its session is gone. */
  readonly dropped?: () => void
}

const kindOf = (code: Code): Kind => {
  const { action } = codes[code]
  return action === 'halt' ? 'halt' : action === 'split' ? 'split' : 'passing'
}

type Answer<T> = { readonly value: T } | { readonly error: unknown }

function answerOf<T>(effect: () => T): Answer<T> {
  try {
    return { value: effect() }
  } catch (error) {
    return { error }
  }
}

/** Of what happens by itself. */
export const nobody = 0

interface Pending {
  readonly owner: number
  readonly call: Pick<Call<unknown>, 'lost'>
  readonly options: readonly Event[]
  readonly early: Event | undefined
  leave(): void
  disconnect(): void
}

class Operation<T> implements Pending {
  owner: number
  readonly call: Call<T>
  readonly #world: World
  readonly #give: (answer: Answer<T>) => void
  readonly #timer: Timer | undefined
  #isWithEffect = false
  #isLeft = false
  #options: readonly Event[]

  constructor(world: World, call: Call<T>, give: (answer: Answer<T>) => void) {
    this.owner = world.clock.owner
    this.call = call
    this.#world = world
    this.#give = give
    this.#options = this.#asked(call)
    const { timeout } = call
    if (timeout !== undefined)
      this.#timer = world.clock.add(timeout.ms, () => {
        world.count(`${call.name}: no answer`)
        this.leave()
        give(answerOf(timeout.give))
      })
    if (call.signal?.aborted !== true) call.signal?.addEventListener('abort', this.abort)
  }

  /** The likeliest first. */
  get options(): readonly Event[] {
    const { isReady, isAway, name, lost } = this.call
    if (!this.#isWithEffect && isAway?.() === true)
      return this.#isLeft
        ? this.#options.slice(1)
        : [this.#event(`${name}: nobody there`, 'done', () => this.#fail(lost))]
    return this.#isWithEffect || isReady === undefined || isReady() ? this.#options : []
  }

  get early(): Event | undefined {
    const { early, isReady } = this.call
    if (early === undefined || this.#isWithEffect || this.#isLeft || isReady?.() !== false) return undefined
    return this.#event(early.name, 'slow', () => this.#give({ value: early.value }))
  }

  #asked({ name, effect, others = [], errors = [], lost }: Call<T>): Event[] {
    return [
      this.#event(name, 'done', () => this.#give(answerOf(effect))),
      ...others.map((other) => this.#event(other.name, 'slow', () => this.#give(answerOf(other.effect)))),
      this.#event(`${name}, answer later`, 'slow', () => this.#answerLater(answerOf(effect))),
      this.#event(`${name}, answer lost`, 'lost', () => {
        answerOf(effect)
        this.#fail(lost)
      }),
      ...errors.map((code) => this.#event(`${name}: ${code}`, kindOf(code), () => this.#fail(code))),
    ]
  }

  #answerLater(answer: Answer<T>): void {
    const { name, lost, signal } = this.call
    this.#isWithEffect = true
    this.#options = [
      this.#event(`answer to ${name}`, 'done', () => this.#give(answer)),
      this.#event(`answer to ${name} lost`, 'lost', () => this.#fail(lost)),
    ]
    signal?.addEventListener('abort', this.abort)
    this.#world.operations.add(this)
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
    this.#world.operations.add(this)
  }

  readonly abort = () => {
    if (this.#world.operations.has(this)) this.leave()
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
    this.#world.operations.delete(this)
    this.#world.clock.remove(this.#timer)
    this.call.signal?.removeEventListener('abort', this.abort)
  }

  #event(name: string, kind: Kind, act: () => void): Event {
    const ended = () => {
      this.#end()
      this.#world.clock.owner = this.owner
      act()
    }
    return {
      name,
      kind,
      act: ended,
      about: this.#world.trace && `${this.call.about ?? ''} (consumer ${this.owner})`,
    }
  }

  #failed(code: Code): Answer<T> {
    return { error: new LadingError(code, `${this.call.name} fails, says the schedule`) }
  }
}

/** What must never be seen, and was. */
export interface Violation {
  readonly rule: string
  readonly detail: string
}

export class World {
  readonly clock = new Clock()
  readonly choices: Choices
  /** In the order in which they were called. */
  readonly operations = new Set<Pending>()
  /** How often each event happened. */
  readonly counts = new Map<string, number>()
  /** Which event came behind which. */
  readonly transitions = new Set<string>()
  readonly trace: string[] | undefined
  violation: Violation | undefined
  #last = 'nothing'

  constructor(choices: Choices, isTraced: boolean) {
    this.choices = choices
    this.trace = isTraced ? [] : undefined
  }

  call<T>(call: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const give = (answer: Answer<T>) =>
        'error' in answer ? reject(answer.error as Error) : resolve(answer.value)
      const operation = new Operation(this, call, give)
      if (call.signal?.aborted === true) operation.abort()
      else this.operations.add(operation)
    })
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    for (const { options } of this.operations) if (options.length > 0) return false
    return true
  }

  /** Whether the process waits for the server whose calls end with this code. */
  isCalling(owner: number, code: Code): boolean {
    for (const { owner: caller, call } of this.operations)
      if (caller === owner && call.lost === code) return true
    return false
  }

  /** A process has lost its connections to the server whose calls end with this code. */
  disconnect(owner: number, code: Code): void {
    const lost = Array.from(this.operations).filter((each) => each.owner === owner && each.call.lost === code)
    for (const operation of lost) operation.disconnect()
  }

  /** Of a process that is gone: what it asked for and waits for. */
  leave(owner: number): void {
    this.clock.forget(owner)
    const left = Array.from(this.operations).filter((each) => each.owner === owner)
    for (const operation of left) operation.leave()
  }

  /** The rule does not hold. The first of them counts. */
  violated(rule: string, detail: string): void {
    this.violation ??= { rule, detail }
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    this.trace?.push(`        ${name}`)
  }

  /** One event, chosen from those of the operations, the clock and `more`; `first` are likelier than those. */
  async step(first: readonly Event[], more: readonly Event[]): Promise<boolean> {
    const options = [...first]
    for (const operation of this.operations) options.push(...operation.options)
    const timer = this.clock.next()
    if (timer !== undefined)
      options.push({ name: 'time passes', kind: 'clock', act: () => this.#fire(timer) })
    for (const { early } of this.operations) if (early !== undefined) options.push(early)
    options.push(...more)
    if (options.length === 0) return false
    const event = this.choices.take(options)
    this.counts.set(event.name, (this.counts.get(event.name) ?? 0) + 1)
    this.transitions.add(`${this.#last} > ${event.name}`)
    this.#last = event.name
    this.trace?.push(this.#described(event, options))
    event.act()
    await quiet()
    return true
  }

  #fire(timer: Timer): void {
    this.clock.owner = timer.owner
    this.clock.fire(timer)
  }

  #described({ name, about = '' }: Event, options: readonly Event[]): string {
    const at = this.choices.taken.length - 1
    const taken = this.choices.taken[at] as number
    return `${String(at).padStart(5)}  ${(this.clock.now / 1000).toFixed(1).padStart(7)} s  ${name} ${about}${taken === 0 ? '' : `  <- option ${taken} of ${options.length}`}`
  }
}

/** Resolves when no code runs any more before an event happens: behind all microtasks. */
export const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))
