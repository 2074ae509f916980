import type { Context } from '../context.ts'
import type { Size } from '../data.ts'
import type { SectionName } from '../options.ts'
import type { Table } from '../rounds.ts'

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
  /**
   * In the order in which they are measured. Empty where nothing can be measured here, which has been said.
   */
  tables(context: Context, size: Size): Promise<readonly Table[]>
}
