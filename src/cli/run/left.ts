/** What a load leaves in the queue, and the commands that process it. */
import type { ForeignEvent } from '../../core/events.ts'
import type { LeftInQueue } from '../../load/load.ts'
import type { PlannedLoad } from '../../producer/planned-load.ts'
import { urlOfPlace } from '../../sink/registry.ts'
import { hint } from '../settings/hint.ts'
import { counted, print, visible } from '../terminal/output.ts'

/** `state` is the file of the producer's state. */
export async function printLeft({ messages, of }: LeftInQueue, state: string): Promise<void> {
  if (messages === 0) return
  // Messages that another process holds are not visible. A killed process may hold chunks of this load until
  // its lease expires.
  if (of.length === 0)
    return print(
      `left in the queue: ${counted(messages, 'message')} that this load did not see; any of its own are repeats: ${hint('peek')}`,
    )
  print(
    `left in the queue: ${counted(messages, 'message')} that ${messages === 1 ? 'is' : 'are'} not of this load`,
  )
  const plans = await plansOf(of, state)
  for (const each of of) print(`  ${visible(described(each, plans.get(each.load?.loadId ?? '')))}`)
}

/** This producer's plans of the loads; loads of other producers have only a source name. */
async function plansOf(of: readonly ForeignEvent[], path: string): Promise<ReadonlyMap<string, PlannedLoad>> {
  const { ProducerState } = await import('../../producer/state.ts')
  using state = new ProducerState(path, '')
  return new Map(
    of.flatMap(({ load }) => state.findAnywhere(load?.loadId ?? '') ?? []).map((plan) => [plan.id, plan]),
  )
}

function described({ pipeline, load }: ForeignEvent, plan: PlannedLoad | undefined): string {
  const consume = hint('consume')
  if (pipeline === undefined) return `external messages: ${consume}`
  if (load === undefined) return `pipeline ${pipeline}, for its own consumer`
  const { source, database } = load
  if (database === 'any') return `${source}, for any consumer: ${consume}`
  if (plan?.target === undefined)
    return database === 'this'
      ? `${source}, for this database: ${consume}`
      : `${source}, for another database`
  const command = hint('load', source === 'stdin' ? '-' : plan.path, '--to', urlOfPlace(plan.target))
  return `${source}, for ${database === 'this' ? 'this database' : plan.target}: ${command}`
}
