import type { Context } from '../context.ts'
import type { Size } from '../data.ts'
import type { SectionName } from '../options.ts'
import type { Result } from '../results.ts'
import type { Table } from '../rounds.ts'

export interface Picture {
  readonly svg: string
  /** What a reader who does not see it has to know. */
  readonly alternative: string
}

export interface Section {
  readonly name: SectionName
  readonly heading: string
  /** What a reader has to know of its ways, in Markdown. */
  readonly about: string
  /** Where the command line does not say. */
  readonly records: number
  /** Whether `records` are those of each file. */
  readonly perFile?: true
  /** Numbers of files, each measured by itself; none where the section has no files. */
  readonly sensors: readonly number[]
  /** Sizes that differ in both, instead; `--records` and `--sensors` take their place. */
  readonly sizes?: readonly Size[]
  /** Drawn from the results of all sizes, and shown below the heading. */
  readonly picture?: (results: readonly Result[]) => Picture
  /**
   * In the order in which they are measured. Empty where nothing can be measured here, which has been said.
   */
  tables(context: Context, size: Size): Promise<readonly Table[]>
}
