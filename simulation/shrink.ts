/** The shortest schedule that breaks the same rule, as far as trying finds it. */
import { replayed } from './choices.ts'
import { type Outcome, run } from './schedule.ts'

const mostTries = 20_000

export async function shrunk(failed: Outcome): Promise<Outcome> {
  let [best, tries] = [failed, 0]
  const isBetter = async (schedule: readonly number[]): Promise<boolean> => {
    if (++tries > mostTries) return false
    const outcome = await run(replayed(schedule))
    if (outcome.violation?.rule !== failed.violation?.rule || !isShorter(outcome.schedule, best.schedule))
      return false
    best = outcome
    return true
  }
  for (let before: Outcome | undefined; before !== best && tries < mostTries;) {
    before = best
    // Decisions are left out, larger runs of them first; then each becomes a likelier one.
    for (let length = 64; length >= 1; length = Math.floor(length / 2))
      for (let at = best.schedule.length - 1; at >= 0; at--) {
        const { schedule } = best
        if (await isBetter([...schedule.slice(0, at), ...schedule.slice(at + length)])) continue
        if (schedule.slice(at, at + length).some((option) => option > 0))
          await isBetter(schedule.map((option, index) => (index >= at && index < at + length ? 0 : option)))
      }
    for (let at = best.schedule.length - 1; at >= 0; at--)
      for (const lower of [(option: number) => option >> 1, (option: number) => option - 1])
        while ((best.schedule[at] ?? 0) > 0)
          if (
            !(await isBetter(best.schedule.map((option, index) => (index === at ? lower(option) : option))))
          )
            break
  }
  return best
}

/** Fewer decisions that differ from what happens without failures; of equally many, fewer and lower ones. */
function isShorter(a: readonly number[], b: readonly number[]): boolean {
  const [first, second] = [costs(a), costs(b)]
  const place = first.findIndex((cost, index) => cost !== second[index])
  return place >= 0 && (first[place] as number) < (second[place] as number)
}

const costs = (schedule: readonly number[]): readonly number[] => [
  schedule.filter((option) => option > 0).length,
  schedule.length,
  schedule.reduce((sum, option) => sum + option, 0),
]
