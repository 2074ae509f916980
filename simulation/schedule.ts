/** One schedule from its beginning to its end: whatever fails in it, everything has its verdict when nothing fails any more. */
import type { Event, Choices } from './choices.ts'
import { realTurn, setClock } from './clock.ts'
import { Consumers } from './consumers.ts'
import { Database } from './database.ts'
import { fileSets } from './files.ts'
import { Loads } from './loads.ts'
import { messagesOf, type Published, type Sort, sorts } from './messages.ts'
import { type ConsumerSettings, Processes } from './processes.ts'
import { queueKinds, QueueServer } from './queue-server.ts'
import { forgetStates } from './states.ts'
import { Verdicts } from './verdicts.ts'
import { nobody } from './operation.ts'
import { type Violation, World } from './world.ts'

/** As the consumer has it. */
const messageAttempts = 3
/** Simulated time and events in which all is done once nothing fails any more; a load asks some forty times a second. */
const calmMs = 6 * 3_600_000
const calmEvents = 60_000

export interface Outcome {
  readonly schedule: readonly number[]
  readonly violation: Violation | undefined
  readonly counts: ReadonlyMap<string, number>
  readonly transitions: ReadonlySet<string>
  /** Simulated milliseconds. */
  readonly endsAt: number
  readonly trace: readonly string[]
}

export async function run(choices: Choices, isTraced = false): Promise<Outcome> {
  const world = new World(choices, isTraced)
  setClock(world.clock)
  forgetStates()
  const lost = (error: unknown) => world.violated('no promise is forgotten', String(error))
  process.on('unhandledRejection', lost)
  try {
    await simulate(world)
    // Node looks for forgotten promises now.
    await realTurn()
  } finally {
    process.off('unhandledRejection', lost)
  }
  const schedule = [...choices.taken]
  while (schedule.at(-1) === 0) schedule.pop()
  const { violation, counts, transitions, trace = [] } = world
  return { schedule, violation, counts, transitions, endsAt: world.clock.now, trace }
}

async function simulate(world: World): Promise<void> {
  const one = <T>(name: string, values: readonly T[]): T => {
    const options = values.map((value) => ({ name, kind: 'setup' as const, value }))
    return world.choices.take(options).value
  }
  const kind = one('queue', queueKinds)
  const settings: ConsumerSettings = {
    prefetch: one('prefetch', [8, 3, 1]),
    batch: { messages: one('batch', [3, 1, 2, 2_000]) },
    maxAttempts: one('attempts', [20, 4, 1]),
  }
  const kinds: Sort[] = [one('sort', sorts)]
  while (one('more', [false, true, true, true, true]) && kinds.length < 8) kinds.push(one('sort', sorts))
  const files = one('files', fileSets)
  const [consumers, isProduced] =
    files.length === 0 ? [1, false] : [one('consumers', [1, 2]), one('produced', [false, true, false])]
  const { published, load } = messagesOf(
    withFewPoisoned(kinds, files.length === 0 ? mostPoisoned : mostPoisoned - 1),
  )
  const expected = [...published, ...files.flatMap(({ chunks }) => chunks)]
  const limits = { maxAttempts: settings.maxAttempts, messageAttempts }
  const verdicts = new Verdicts(world, expected, limits, kind.isOrdered === true)
  const queue = new QueueServer(world, kind, verdicts)
  const database = new Database(world, verdicts)
  world.count(`queue ${kind.name}`)
  for (const { sort } of published) world.count(`message: ${sort}`)
  await play(world, published, {
    queue,
    database,
    processes: new Processes(world, queue, database, settings),
    consumers: new Consumers(world, settings, load?.id),
    loads: new Loads(world, verdicts, { ...settings, files, consumers, isProduced }),
  })
  if (world.violation !== undefined) return
  verdicts.conclude(database.rows, database.rejects)
  database.balance()
}

/** A consumer stops when a fourth message in a row fails: then the messages are not the cause, and none is given up. */
const mostPoisoned = 3

function withFewPoisoned(kinds: readonly Sort[], most: number): readonly Sort[] {
  let poisoned = 0
  return kinds.map((sort) => (sort === 'poison' && ++poisoned > most ? 'message' : sort))
}

interface Players {
  readonly queue: QueueServer
  readonly database: Database
  readonly processes: Processes
  readonly consumers: Consumers
  readonly loads: Loads
}

/** Events until the queue is empty and nobody is at work any more. */
async function play(world: World, published: readonly Published[], players: Players): Promise<void> {
  const { queue, processes, consumers, loads } = players
  const starts = [...consumers.starts, ...loads.starts]
  const absences = absencesOf(world, players)
  const waiting = [...published]
  let [calmSince, calmFrom] = [0, 0]
  for (let events = 0; world.violation === undefined; events++) {
    const isOver = waiting.length === 0 && queue.isEmpty && loads.wanted.length === 0
    if (isOver && processes.count === 0 && world.isIdle) return
    const first: Event[] = []
    const add = (name: string, act: () => void) => first.push({ name, kind: 'done', act })
    const [[next], [wanted]] = [waiting, loads.wanted]
    if (next !== undefined) add('a message is published', () => queue.publish(waiting.shift() ?? next))
    if (queue.hasForeign) add('another program takes its message', () => queue.takeForeign())
    if (isOver) first.push(...processes.stopping())
    else if (wanted !== undefined && !processes.isRunning(wanted.program))
      add(wanted.name, () => processes.start(wanted.program))
    else if (processes.count === 0) add('a consumer starts', () => processes.start(consumers.endless))
    const isMoving = await world.step(first, [...processes.events(starts), ...absences()])
    processes.check()
    if (!isMoving) world.violated('no consumer hangs', 'nothing is under way, and no timer is set')
    const { now } = world.clock
    if (world.choices.taken.at(-1) !== 0) [calmSince, calmFrom] = [now, events]
    else if (now - calmSince > calmMs || events - calmFrom > calmEvents)
      world.violated(
        'everything ends',
        `nothing has failed for ${events - calmFrom} events and ${now - calmSince} ms`,
      )
  }
}

/** For so long a server is away or silent, in milliseconds: shorter and longer than consumers wait for it. */
const absenceMs = [2_000, 120_000]

/** Says at each event which absences may begin. */
function absencesOf({ clock }: World, { queue, database }: Players): () => Event[] {
  const forAWhile = (what: string, begin: () => void, end: () => void): Event[] =>
    absenceMs.map((ms) => ({
      name: `${what} for ${ms / 1000} s`,
      kind: 'away',
      act: () => {
        clock.owner = nobody
        begin()
        clock.add(ms, end)
      },
    }))
  const away = (name: string, server: { awaySince: number | undefined }): Event[] =>
    forAWhile(
      `${name} is away`,
      () => (server.awaySince = clock.now),
      () => (server.awaySince = undefined),
    )
  const queueAway = away('the queue', queue)
  const databaseAway = away('the database', database)
  const queueSilent = forAWhile(
    'the queue answers nothing',
    () => (queue.isSilent = true),
    () => (queue.isSilent = false),
  )
  return () => [
    ...(queue.awaySince === undefined ? queueAway : []),
    ...(database.awaySince === undefined ? databaseAway : []),
    ...(queue.isSilent ? [] : queueSilent),
  ]
}
