import type { LeftOut } from '../../core/load.ts'
import type { ProducedLoad } from '../../producer/produce.ts'
import { counted, leftOutText, print, visible } from '../terminal/output.ts'

/** Files of which the lines are listed; of more, their sum is. */
const mostFiles = 5

/** Lines of the files that belong to no record, as options or the files say. */
export function printLeftOut(produced: readonly Pick<ProducedLoad, 'source' | 'leftOut'>[]): void {
  const some = produced.flatMap(({ source, leftOut }) => (leftOut === undefined ? [] : [{ source, leftOut }]))
  for (const { source, leftOut } of some.slice(0, mostFiles))
    print(`left out of ${visible(source)}: ${leftOutText(leftOut)}`)
  const more = some.slice(mostFiles)
  if (more.length > 0)
    print(
      `left out of ${counted(more.length, 'more file')}: ${leftOutText(sumOf(more.map(({ leftOut }) => leftOut)))}`,
    )
}

const sumOf = (all: readonly LeftOut[]): LeftOut => ({
  preamble: all.reduce((sum, { preamble }) => sum + preamble, 0),
  comments: all.reduce((sum, { comments }) => sum + comments, 0),
  footer: all.reduce((sum, { footer }) => sum + footer, 0),
})
