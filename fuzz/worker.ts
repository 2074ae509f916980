/**
 * Tries inputs of one target, in a thread, so that an input on which it hangs or takes all memory is known outside: it stands in
 * shared memory before it is tried.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { LadingError } from '../src/core/errors.ts'
import { Coverage } from './coverage.ts'
import { mostBytes, Mutator, numbers } from './mutate.ts'
import { shrunk } from './shrink.ts'
import { Broken, Input, type Target } from './target.ts'
import { targetNamed } from './targets/index.ts'
import { type Report, Slot, type Work } from './slot.ts'

const batchSize = 48
/** Batches of which every so many-th is tried one by one, though it has reached nothing new. */
const roundsBetween = 10

/** What an input did: undefined where everything held. */
interface Failure {
  /** Two inputs fail in the same way if they share it. */
  readonly way: string
  readonly text: string
}

const work = workerData as Work
const slot = new Slot(work.shared)
const target = targetNamed(work.target)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (report: Report): void => parentPort?.postMessage(report)

if (work.replay !== undefined) await replay(Buffer.from(work.replay))
else await fuzz(performance.now() + work.seconds * 1000)

async function replay(input: Buffer): Promise<void> {
  const failure = await tried(input)
  say({ kind: 'done', runs: 1, kept: 0, functions: 0, failure: failure?.text })
}

async function fuzz(until: number): Promise<void> {
  // The call of the check itself is no branch of the program.
  using coverage = new Coverage((url) => /\/src\/|\/fuzz\/targets\/planted/.test(url))
  const next = numbers(work.seed)
  const mutator = new Mutator(next, target.tokens, target.options)
  const corpus: Buffer[] = []
  let runs = 0
  let rounds = 0
  const one = async (input: Buffer): Promise<boolean> => {
    runs++
    const failure = await tried(input)
    if (failure === undefined) return true
    const small = await shrunk(input, async (bytes) => (await tried(bytes))?.way === failure.way)
    say({ kind: 'finding', input: small, text: (await tried(small))?.text ?? failure.text })
    return false
  }
  const done = () =>
    say({ kind: 'done', runs, kept: corpus.length, functions: coverage.functions, failure: undefined })
  for (const input of firstInputs(target, next)) {
    coverage.clear()
    if (!(await one(input))) return done()
    if (coverage.isNew() && input.length <= mostBytes) corpus.push(input)
  }
  while (performance.now() < until && runs < work.inputs) {
    const batch = Array.from({ length: batchSize }, () => mutator.mutated(chosen(), chosen()))
    coverage.clear()
    for (const input of batch) if (!(await one(input))) return done()
    // How often a branch ran shows one by one only.
    if (!coverage.isNewAmong && ++rounds % roundsBetween > 0) continue
    for (const input of batch) {
      coverage.clear()
      await one(input)
      if (coverage.isNew() && input.length <= mostBytes) corpus.push(input)
    }
  }
  done()

  /** One of the latest, every second time: what leads further is mostly near what was new last. */
  function chosen(): Buffer {
    const from = next() < 0.5 ? Math.max(0, corpus.length - 24) : 0
    return corpus[from + Math.floor(next() * (corpus.length - from))] as Buffer
  }
}

/** The seeds with the usual options, and with some others. */
function* firstInputs({ seeds, options }: Target, next: () => number): Generator<Buffer> {
  const bodies = seeds.map((seed) => Buffer.from(seed))
  for (let round = 0; round < 4; round++)
    for (const body of bodies) {
      const chosen = Buffer.from(
        Array.from({ length: options }, () => (round === 0 ? 0 : Math.floor(next() * 256))),
      )
      yield Buffer.concat([chosen, body])
    }
}

async function tried(bytes: Buffer): Promise<Failure | undefined> {
  slot.begin(bytes)
  try {
    const checking = target.check(new Input(bytes, target))
    if (checking !== undefined) await checking
    return undefined
  } catch (error) {
    // The program may refuse any input, but only in its own words.
    if (error instanceof LadingError && error.code !== 'INTERNAL') return undefined
    if (error instanceof Broken) return { way: error.rule, text: error.message }
    const { stack = String(error), cause } = error as Error
    const text = cause instanceof Error ? `${(error as Error).message}: ${cause.stack}` : stack
    return { way: text.split('\n').slice(0, 2).join('\n').replace(/\d+/g, '0'), text }
  }
}
