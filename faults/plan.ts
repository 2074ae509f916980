import type { Plan } from './content.ts'
import { oneOf } from './kinds/fault.ts'
import type { Lane } from './lanes/lane.ts'

/** How the next round goes, within what the lane can do. */
export function drawPlan({ queue, database }: Lane, random: () => number): Plan {
  const draw = <const Item>(items: readonly [Item, ...Item[]]): Item => oneOf(items, random) ?? items[0]
  const isDeferred = database.defersIndexes === true && random() < 0.15
  const format = isDeferred ? draw(['csv', 'ndjson']) : draw(['csv', 'ndjson', 'messages'])
  const isOrdered = queue.isOrdered === true && format === 'messages'
  return {
    format,
    isDeferred,
    policy: isDeferred
      ? draw(['error', 'skip', 'version'])
      : isOrdered
        ? draw(['none', 'last'])
        : draw(['none', 'none', 'error', 'skip', 'version']),
    carry: draw(['bytes', 'bytes', 'reference']),
    producers: draw([1, 1, 2]),
    replays: !isDeferred && database.hasOneWriter !== true && random() < 0.4,
  }
}
