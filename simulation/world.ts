/** What is under way between processes and servers, and the time. The clock moves when the schedule says so. */
import type { Code } from '../src/core/errors.ts'
import type { Choices, Event } from './choices.ts'
import { Clock, type Timer } from './clock.ts'
import { type Answer, type Call, Operation, type Pending } from './operation.ts'

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

  /** Whether it waits for an answer that such a server has given. */
  awaitsAnswer(owner: number, code: Code): boolean {
    for (const { owner: caller, call, isWithEffect } of this.operations)
      if (caller === owner && call.lost === code && isWithEffect) return true
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
