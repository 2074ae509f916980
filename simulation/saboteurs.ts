/**
 * Faults of one line each, to be put into the program while it is loaded: the simulation has to find every one.
 */
import { type Change, change } from './changes.ts'

export interface Saboteur extends Change {
  readonly name: string
}

const consumer = 'src/consumer/consumer.ts'
const publishing = 'await retrying(() => this.#queue.publish(messages, { signal })'

export const saboteurs: readonly Saboteur[] = [
  {
    name: 'settles before the commit',
    file: consumer,
    line: 'const written = await this.#writer.write(decoded)',
    instead:
      'await settleDone(decoded.entries.map(({ delivery }) => delivery), this.#leases, this.#stopping.abandon); const written = await this.#writer.write(decoded)',
  },
  {
    name: 'settles whatever the write says',
    file: consumer,
    line: 'const written = await this.#writer.write(decoded)',
    instead:
      'const written = await this.#writer.write(decoded).catch(() => ({ tally: emptyTally, loads: { ids: [], counts: [] } }) as unknown as WrittenBatch)',
  },
  {
    name: 'the ledger is not asked',
    file: 'simulation/database.ts',
    line: 'if (entry === undefined) return undefined',
    instead: 'if (entry !== null) return undefined',
  },
  {
    name: 'a folded load is not known',
    file: 'simulation/database.ts',
    line: 'if (load !== undefined && this.#loadOf(load).isComplete) {',
    instead: 'if (load !== undefined && this.#loadOf(load) === undefined) {',
  },
  {
    name: 'leases are not extended',
    file: 'src/consumer/intake.ts',
    line: 'for (const delivery of this.#held) delivery.extend?.(leaseMs).catch(() => undefined)',
    instead: '',
  },
  {
    name: 'what is in hand is forgotten when the queue is opened again',
    file: consumer,
    line: 'await this.#giveBack()\n          await this.#queueAttempts.pauseAfter(error)',
    instead: 'await this.#queueAttempts.pauseAfter(error)',
  },
  {
    name: 'nothing is given back at the end',
    file: consumer,
    line: 'await this.#giveBack()\n      this.#leases[Symbol.dispose]()',
    instead: 'this.#leases[Symbol.dispose]()',
  },
  {
    name: 'an error that halts is tried again',
    file: 'src/core/retry.ts',
    line: '!retryOn.includes(error.action) ||',
    instead: '',
  },
  {
    name: 'a dead letter is not kept',
    file: 'src/consumer/conclude.ts',
    line: 'await this.#retrying(() => sink.ledger.bury(letter, { signal: abandon }))',
    instead: '',
  },
  {
    name: 'messages of others are settled as done',
    file: 'src/consumer/foreign.ts',
    line: "each.settle({ kind: 'release', afterMs: this.#met.get(each.key)?.pauseMs })",
    instead: "each.settle({ kind: 'done' })",
  },
  {
    name: 'a run until the queue is empty leaves the last message',
    file: consumer,
    line: '<= this.#foreign.count()',
    instead: '<= this.#foreign.count() + 1',
  },
  {
    name: 'batches are decoded into one lane',
    file: 'src/consumer/lanes.ts',
    line: 'this.#turn++ % 2',
    instead: '0',
  },
  {
    name: 'a batch does not wait for the one before it',
    file: consumer,
    line: 'await writing\n        if (stop.aborted) break',
    instead: 'if (stop.aborted) break',
  },
  {
    name: 'the timer of the leases goes on',
    file: 'src/consumer/intake.ts',
    line: 'clearInterval(this.#timer)',
    instead: '',
  },
  {
    name: 'a stop is heard for ever',
    file: 'src/core/wait.ts',
    line: "signal?.addEventListener('abort', begin, { once: true, signal: over.signal })",
    instead: "signal?.addEventListener('abort', begin)",
  },
  {
    name: 'a stop waits for ever',
    file: 'src/core/wait.ts',
    line: 'over.signal.aborted || abandon.abort()',
    instead: 'over.signal.aborted',
  },
  {
    name: 'a message is given up one delivery too early',
    file: 'src/consumer/lanes.ts',
    line: 'delivery.attempt <= maxAttempts',
    instead: 'delivery.attempt < maxAttempts',
  },
  {
    name: 'a message that fails alone is given up at once',
    file: 'src/consumer/write.ts',
    line: 'delivery.attempt < this.#options.messageRetry.attempts',
    instead: 'false',
  },
  {
    name: 'a message that was overtaken is written',
    file: 'src/consumer/write.ts',
    line: 'delivery.isCurrent?.() === false',
    instead: 'false',
  },
  {
    name: 'a message that another transaction has is settled',
    file: 'src/consumer/conclude.ts',
    line: 'if (locked.length > 0) await this.#leaveLocked(locked)',
    instead: '',
  },
  {
    name: 'chunks count as published before the queue has them',
    file: 'src/producer/publish.ts',
    line: publishing,
    instead: `this.#state.confirm(chunks.map(([load, { chunk }]) => [load, chunk]), []); ${publishing}`,
  },
  {
    name: 'the last chunks are not waited for',
    file: 'src/producer/publish.ts',
    line: 'await this.#handOver()\n    await this.#underWay',
    instead: 'await this.#handOver()',
  },
  {
    name: 'a producer forgets what the queue has',
    file: 'src/producer/state.ts',
    line: 'UPDATE chunk SET confirmed = 1',
    instead: 'UPDATE chunk SET confirmed = 0',
  },
  {
    name: 'what has its verdict is published again',
    file: 'src/producer/produce.ts',
    line: 'const isWanted = (key: string) => known?.keys.has(key) !== true',
    instead: 'const isWanted = () => true',
  },
  {
    name: 'a load is over before its last chunk',
    file: 'src/load/settled.ts',
    line: 'chunksDone >= chunks ||',
    instead: 'chunksDone >= chunks - 1 ||',
  },
  {
    name: 'what others have in hand is not there',
    file: 'src/load/settled.ts',
    line: 'if (ready === 0 && inFlight === 0) return true',
    instead: 'if (ready === 0) return true',
  },
  {
    name: 'a load does not wait for its consumers',
    file: 'src/load/move.ts',
    line: 'await workers.ended\n    return moved\n  } finally {\n    workers.stop()\n    await workers.ended.catch(() => undefined)',
    instead: 'return moved\n  } finally {\n    workers.stop()',
  },
]

/** From now on the file is loaded with the fault in it. */
export function sabotage(name: string): void {
  const saboteur = saboteurs.find((each) => each.name === name)
  if (saboteur === undefined) throw new Error(`there is no saboteur ${JSON.stringify(name)}`)
  change(saboteur)
}
