/**
 * Disturbs a lane at work with faults that are drawn from a seed, round after round, and compares what is in the tables
 * with what was to be loaded.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../test/support/restarted-process.ts'
import { Bag } from './bag.ts'
import { kinds } from './kinds/index.ts'
import { holderKilled } from './kinds/processes.ts'
import { between, type Context, type Fault } from './kinds/fault.ts'
import type { Lane } from './lanes/lane.ts'
import { drawPlan } from './plan.ts'
import { type Drawing, LaneReport } from './report.ts'
import { Round } from './round.ts'

export interface ConductorOptions extends Drawing {
  /** No round begins after so many minutes. */
  readonly minutes?: number | undefined
  /** Ends the run, with everything of it. */
  readonly signal?: AbortSignal | undefined
  /** Hears what happens, a line at a time. */
  readonly tell?: ((line: string) => void) | undefined
}

const faultsPerRound = 12
/** As many faults as were asked for, until a message was delivered twice. */
const mostTimes = 5
/** In a row, before a round is given up in which nothing can be struck any more. */
const mostMisses = 60
/** Of the faults, are not recovered from when the next one strikes. */
const overlapping = 0.25

export async function conduct(lane: Lane, options: ConductorOptions): Promise<LaneReport> {
  const { seed, kills, minutes = Number.POSITIVE_INFINITY, tell = () => undefined } = options
  const random = randomFrom(seed)
  const report = new LaneReport(lane.name, options)
  const possible = possibleKinds(lane, options, report)
  const bag = new Bag(possible, random, beginning(possible, options))
  const until = performance.now() + minutes * 60_000
  // Few faults may miss every message in hand: more follow, before a run counts for nothing.
  const isEnough = () => report.faults >= (report.redelivered > 0 ? 1 : mostTimes) * kills
  for (let number = 0; !isEnough() && performance.now() < until; number++) {
    const plan = drawPlan(lane, random)
    tell(`${lane.name}: round ${number}: ${JSON.stringify(plan)}`)
    const before = report.faults
    const enough = before + Math.min(faultsPerRound, before < kills ? kills - before : kills)
    try {
      await using round = await Round.start(lane, number, plan, {
        seed: seed + number,
        signal: options.signal,
        isQuick: options.isQuick,
      })
      for (let misses = 0; report.faults < enough && !round.isOver && misses < mostMisses;)
        misses = (await strike({ lane, round, random }, bag, report, tell)) ? 0 : misses + 1
      await round.finish()
      const verdict = await round.end()
      report.add(verdict, round.counts)
      tell(`${lane.name}: round ${number}: ${JSON.stringify({ ...round.counts, ...verdict })}`)
      if (report.faults === before && !plan.isDeferred)
        throw new Error('nothing is left that could be struck')
    } catch (error) {
      options.signal?.throwIfAborted()
      report.broke(error)
      break
    }
  }
  report.conclude(bag)
  return report
}

function possibleKinds(lane: Lane, { isQuick }: ConductorOptions, report: LaneReport): readonly Fault[] {
  return kinds.filter((kind) => {
    if (isQuick === true && kind.isQuick !== true) return false
    const obstacle = kind.obstacle(lane)
    if (obstacle !== undefined) report.leftOut(kind, obstacle)
    return obstacle === undefined
  })
}

function beginning(possible: readonly Fault[], { isQuick, first = [] }: ConductorOptions): readonly Fault[] {
  const named = first.map((name) => {
    const kind = possible.find((each) => each.name === name)
    if (kind === undefined) throw new Error(`no ${name} in this run`)
    return kind
  })
  // Its messages are delivered again: a run of a few faults would often show nothing without it.
  return isQuick === true ? [holderKilled, ...named] : named
}

/** Whether there was anything to strike. */
async function strike(
  context: Context,
  bag: Bag<Fault>,
  report: LaneReport,
  tell: (line: string) => void,
): Promise<boolean> {
  const { lane, round, random } = context
  await sleep(between(random, 0, 500))
  const fault = bag.draw()
  if (fault === undefined) return false
  const struck = await fault.strike(context)
  if (struck === undefined) {
    bag.putBack(fault)
    return false
  }
  const { holdMs = 0 } = struck
  await sleep(holdMs)
  await struck.undo?.()
  const since = performance.now()
  report.struck(fault)
  let outcome = 'the next one follows'
  if (random() >= overlapping) {
    await round.recovered(struck.victims, since)
    const recoveryMs = Math.round(performance.now() - since)
    report.recovered(fault, recoveryMs)
    outcome = `at work again after ${recoveryMs} ms`
  }
  tell(`${lane.name}: ${fault.name}, ${holdMs} ms: ${outcome}`)
  return true
}
