/** Many schedules, or one of them again, and what is printed of them. */
import { createHash } from 'node:crypto'
import { random, read, replayed, written } from './choices.ts'
import { type Outcome, run } from './schedule.ts'
import { shrunk } from './shrink.ts'

/** From so many schedules on, each of these has to have happened: otherwise nothing was tried of what they try. */
const enough = 20_000
const sometimes = [
  'commit, answer lost',
  'commit, late',
  'commit, never',
  'bury, late',
  'settle as done, late',
  'settle as done, answer lost',
  'settle as done: QUEUE_REFUSED',
  'settle as release, answer lost',
  'settle as retry: QUEUE_UNAVAILABLE',
  'a settlement comes too late',
  'an extension comes too late',
  'a lease ends, and another has the message',
  'a lease ends, and its holder has the message again',
  'a message has taken effect already',
  'a message of a folded load comes again',
  'a chunk is dead already',
  'a letter has its verdict already',
  'a dead letter takes effect after all',
  'a dead letter: ATTEMPTS_EXHAUSTED',
  'a dead letter: KEY_REUSED',
  'a dead letter: NOT_OURS',
  'a dead letter: UNPROCESSABLE',
  'a load is folded',
  'a message is left because another transaction has it',
  'a message is to be tried again',
  'another program takes its message',
  'begin: no answer',
  'a consumer is killed',
  'a consumer is told to stop',
  'a consumer is told to stop twice',
  'a consumer ends: QUEUE_REFUSED',
  'a consumer ends: SCHEMA_MISMATCH',
  'a consumer ends: SINK_FAILED',
  'a consumer ends: SINK_REFUSED',
  'a consumer ends: SINK_UNAVAILABLE',
  'resumed: QUEUE_UNAVAILABLE',
  'resumed: SINK_UNAVAILABLE',
  'publish twice',
  'publish in part',
  'publish, late',
  'publish, never',
  'publish, answer lost',
  'publish: QUEUE_REFUSED',
  'publish: no answer',
  'a load is killed',
  'a load is told to stop',
  'a load is told to stop twice',
  'a load dies before it hears that the queue holds its messages',
  'a load is begun beside a load',
  'a load is begun beside a consumer',
  'a load is begun beside a producer',
  'a load goes on with one that was begun',
  'a load begins, and all is loaded',
  'a load is complete',
  'a load is stopped before its end',
  'a load ends: ABORTED',
  'a load ends: QUEUE_REFUSED',
  'a load ends: SINK_REFUSED',
  'a load ends: SINK_UNAVAILABLE',
  'a producer is killed',
  'a producer dies before it hears that the queue holds its messages',
  'a producer ends',
]

/** Whether every rule is kept. Everything on standard output depends on the seed alone. */
export async function simulate(schedules: number, seed: number): Promise<boolean> {
  const counts = new Map<string, number>()
  const transitions = new Set<string>()
  const digest = createHash('sha256')
  const began = process.hrtime.bigint()
  for (let number = 0; number < schedules; number++) {
    const outcome = await run(random(seed + number))
    if (outcome.violation !== undefined) return await failed(outcome, number + 1)
    for (const [name, times] of outcome.counts) counts.set(name, (counts.get(name) ?? 0) + times)
    for (const transition of outcome.transitions) transitions.add(transition)
    digest.update(`${written(outcome.schedule)} ${outcome.endsAt}\n`)
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  for (const [name, times] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(times).padStart(12)}  ${name}`)
  console.log(`${counts.size} kinds of events, ${transitions.size} of one behind another`)
  console.log(`${schedules} schedules from seed ${seed}, digest ${digest.digest('hex').slice(0, 16)}`)
  console.error(`${(schedules / seconds).toFixed(0)} schedules a second`)
  const missing = schedules < enough ? [] : sometimes.filter((name) => !counts.has(name))
  for (const name of missing) console.log(`this never happened: ${name}`)
  return missing.length === 0
}

async function failed(outcome: Outcome, number: number): Promise<boolean> {
  const { violation, schedule } = outcome
  console.log(`schedule ${number} breaks a rule: ${violation?.rule} (${violation?.detail})`)
  console.log(`  ${written(schedule)}`)
  return replay(written((await shrunk(outcome)).schedule))
}

/** Prints what happens in a schedule. */
export async function replay(schedule: string): Promise<boolean> {
  const { violation, trace } = await run(replayed(read(schedule)), true)
  for (const line of trace) console.log(line)
  if (violation === undefined) console.log('every rule is kept')
  else console.log(`the rule that is broken: ${violation.rule} (${violation.detail})`)
  console.log(`npm run simulate -- --replay '${schedule}'`)
  return violation === undefined
}
