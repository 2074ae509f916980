/** What a load without a model is given. */
import type { StatedTypes } from '../infer/profile/propose.ts'
import type { Model } from '../model/model.ts'
import type { TableChoices } from '../model/of-table.ts'
import type { WantedTable } from '../model/table.ts'
import type { ReadingOptions } from '../producer/reading.ts'
import type { Sink } from '../sink/sink.ts'
import type { LoadOptions } from './options.ts'

export interface UnmodelledOptions extends Pick<
  LoadOptions,
  | 'paths'
  | 'files'
  | 'held'
  | keyof ReadingOptions
  | 'carry'
  | 'root'
  | 'stdin'
  | 'stdinName'
  | 'statePath'
  | 'signal'
  | 'onEvent'
  | 'startTimeoutMs'
  | 'append'
  | 'ended'
> {
  /** Where tables are found and made. */
  readonly sink: Pick<Sink, 'table' | 'prepare' | 'mostColumns' | 'changesRows'>
  /** Makes no table: the model of a new one is the proposal. */
  readonly isDry?: boolean
  /** By default the name of the file says it. */
  readonly table?: WantedTable | undefined
  readonly choices?: TableChoices | undefined
  /** What is stated of the columns of a new table. */
  readonly types?: StatedTypes | undefined
  /** The model that is taken where no table is named and the heads of all sources fit it exactly. */
  readonly usual?: Model | undefined
}
