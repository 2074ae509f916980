/** What a producer is given. */
import type { Listener } from '../core/events.ts'
import { type Model, tableName } from '../model/model.ts'
import type { StatedChoices } from '../model/of-table.ts'
import type { Queue } from '../queue/queue.ts'
import type { CarryOptions } from '../source/carry.ts'
import type { FoundFiles, Held, SpoolOptions } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import type { AskedLoad, KnownLoad, Parts } from './parts.ts'
import type { PublishOptions } from './publish.ts'
import type { ReadingOptions } from './reading.ts'
import { ProducerState } from './state.ts'

export const defaultStatePath = './.lading/producer.db'
/** What is published, as what, and where to. */
export interface ProduceOptions extends PublishOptions, CarryOptions, SpoolOptions, ReadingOptions {
  /** Files, folders, patterns; `-` is standard input, for which `stdin` gives the stream. */
  readonly paths: readonly string[]
  /** Files that were found already, or those that are meant of the ones that `paths` name. */
  readonly files?: FoundFiles | undefined
  /** Small files that were read already, where the caller has looked at them. */
  readonly held?: Held | undefined
  /** Standard input, where the caller has kept a copy of it already. */
  readonly input?: Source | undefined
  readonly model: Model
  /** What a derived model follows from, beside the table and the fields of the sources. */
  readonly ofTable?: StatedChoices | undefined
  readonly queue: Queue
  /** Name under which the ledger keeps the loads; the model's table by default. */
  readonly pipeline?: string
  /**
   * Wanted size of a chunk, in bytes of the source; by default 1 MiB, or three quarters of what the queue
   * takes where that is less.
   */
  readonly chunkBytes?: number
  /**
   * Publish only the first so many records of each source; the rest is left to a later run, which goes on with the
   * same load. Of a load that was begun before, whole chunks are published.
   */
  readonly limit?: number | undefined
  /** Leave out fields that the model does not know instead of refusing them. */
  readonly ignoreExtra?: boolean
  /**
   * Give a name to columns of CSV without one, and a suffix to a name that stands twice, instead of refusing
   * the header: for models that were not written by hand.
   */
  readonly namesColumns?: boolean
  /** Load again what was loaded before. */
  readonly again?: boolean
  /**
   * Read every file, also one of which the file system says that it is the same as when its load was planned.
   */
  readonly readAll?: boolean
  /** The files grow: what is behind the parts that these know is loaded. */
  readonly parts?: Parts
  /**
   * A file that does not begin with what was loaded under its name was rotated: it is loaded from its
   * beginning, and what was not loaded of the old one is left.
   */
  readonly rotated?: boolean
  /** File that remembers plans between runs. */
  readonly statePath?: string
  /**
   * Asks the target's ledger about loads that were planned, by their ids; those that it does not know are not
   * in the answer. With it, what took effect is left out, and everything else is published; without it, what
   * the queue was seen to hold is left out.
   */
  readonly known?: (loads: readonly AskedLoad[]) => Promise<ReadonlyMap<string, KnownLoad>>
  /**
   * Asked of each load before its plan is frozen: true where it is begun from scratch, and its target has
   * forgotten it. `isBegun`: an earlier run that was interrupted has begun it so already.
   */
  readonly startFresh?: (loadId: string, isBegun: boolean) => Promise<boolean>
  readonly onEvent?: Listener
}

/** What identifies the loads of a producer in its state. */
export type ProducerOptions = Pick<ProduceOptions, 'queue' | 'target' | 'statePath' | 'pipeline' | 'model'>

export const pipelineOf = ({ pipeline, model }: Pick<ProduceOptions, 'pipeline' | 'model'>): string =>
  pipeline ?? tableName(model)

export const openState = ({
  statePath = defaultStatePath,
  queue,
  target,
}: Pick<ProduceOptions, 'queue' | 'target' | 'statePath'>): ProducerState =>
  new ProducerState(statePath, queue.id, target)
