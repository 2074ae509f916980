/** The model by which a kept record or message was decoded, derived again where a person did not write it. */
import { LadingError } from '../core/errors.ts'
import type { Layout } from '../core/load.ts'
import { quoted } from '../core/shell.ts'
import type { Abortable } from '../core/wait.ts'
import { sourceFields } from '../model/fields.ts'
import type { ConflictPolicy, Model } from '../model/model.ts'
import { tableName } from '../model/model.ts'
import type { StatedChoices, TableChoices } from '../model/of-table.ts'
import { shownTable, type TableName, type WantedTable } from '../model/table.ts'
import { zoneProblem } from '../model/zones.ts'
import { derive } from '../sink/derive.ts'
import type { Sink } from '../sink/sink.ts'

export interface KeptModelsOptions extends Abortable {
  /** That of its pipeline, if one is given, whatever its loads were begun with. */
  readonly model?: Model | undefined
  /** The pipeline of the given model, by default that of its table. */
  readonly pipeline?: string | undefined
  /** By pipeline, the models of loads that were begun with one. */
  readonly usual: ReadonlyMap<string, Model>
  /** By default that whose name the pipeline has. */
  readonly table?: WantedTable | undefined
  /** They override what the load was stated with. */
  readonly choices?: TableChoices | undefined
}

/** What is known of a reject, or of a dead letter by its header. */
export interface Kept {
  readonly pipeline: string
  readonly layout: Layout | undefined
}

/** Prepares the table of each model that it gives. */
export class KeptModels {
  readonly #sink: Sink
  readonly #options: KeptModelsOptions
  readonly #models = new Map<string, Promise<Model>>()
  readonly #fields = new Set<string>()

  constructor(sink: Sink, options: KeptModelsOptions) {
    this.#sink = sink
    this.#options = options
  }

  /** Of all models so far. */
  get fields(): readonly string[] {
    return [...this.#fields]
  }

  /** Undefined where the load had a model of its own, which is not given. */
  async modelOf({ pipeline, layout }: Kept): Promise<Model | undefined> {
    const { model, pipeline: ofModel = model && tableName(model), usual } = this.#options
    if (model !== undefined && pipeline === ofModel) return this.#once('given', async () => model)
    const stated = choicesIn(layout)
    if (stated !== undefined) {
      const fields = layout?.fields.length === 0 ? stated.fields : layout?.fields
      return this.#once(JSON.stringify([pipeline, fields, stated]), () =>
        this.#derive(pipeline, { ...stated, fields }),
      )
    }
    const known = usual.get(pipeline)
    return known && this.#once(`usual ${pipeline}`, async () => known)
  }

  #once(key: string, make: () => Promise<Model>): Promise<Model> {
    const known = this.#models.get(key) ?? this.#prepared(make)
    this.#models.set(key, known)
    return known
  }

  async #prepared(make: () => Promise<Model>): Promise<Model> {
    const model = await make()
    await this.#sink.prepare(model, { signal: this.#options.signal })
    for (const field of sourceFields(model)) this.#fields.add(field)
    return model
  }

  async #derive(pipeline: string, stated: StatedChoices): Promise<Model> {
    const { table, choices } = this.#options
    const own = { ...stated, ...choices }
    const { signal } = this.#options
    return derive(this.#sink, { ...own, table: table ?? (await this.#tableOf(pipeline)) }, { signal })
  }

  /** A pipeline is named after its table, with the schema that was stated; either may have points of its own. */
  async #tableOf(pipeline: string): Promise<TableName> {
    const [whole, ...parted] = namesIn(pipeline)
    const there: TableName[] = []
    for (const name of [whole, ...parted]) if (await this.#isThere(name)) there.push(name)
    const [one] = there
    if (one === undefined)
      throw new LadingError(
        'SCHEMA_MISMATCH',
        `there is no table ${shownTable(parted[0] ?? whole)}, after which pipeline ${pipeline} is named: make it, name another one with --pipeline ${quoted(pipeline)} --table, or discard what was to go there`,
      )
    if (there.length === 1) return one
    const ways = there.map((name) =>
      [name.schema ?? [], name.table]
        .flat()
        .map((part) => `"${part}"`)
        .join('.'),
    )
    throw new LadingError(
      'USAGE',
      `pipeline ${pipeline} could be of table ${ways.join(' or ')}: name it in quotes: --table '${ways[0]}'`,
    )
  }

  /** A schema that does not exist has no table. */
  async #isThere(name: TableName): Promise<boolean> {
    try {
      return (await this.#sink.table?.(name)) !== undefined
    } catch (error) {
      if (error instanceof LadingError && error.code === 'SCHEMA_MISMATCH') return false
      throw error
    }
  }
}

/** As a whole, and with a schema before each of its points. */
const namesIn = (pipeline: string): readonly [TableName, ...TableName[]] => [
  { table: pipeline },
  ...Array.from(pipeline.matchAll(/(?<=.)\.(?=.)/gs), ({ index }) => ({
    schema: pipeline.slice(0, index),
    table: pipeline.slice(index + 1),
  })),
]

const policies: readonly unknown[] = ['error', 'skip', 'update', 'merge'] satisfies readonly ConflictPolicy[]

/** The layout may come from outside, so nothing of it is trusted. Undefined where the model was written. */
export function choicesIn(layout: Layout | undefined): StatedChoices | undefined {
  const stated = layout?.ofTable
  if (typeof stated !== 'object' || stated === null) return undefined
  const { key, onConflict, ignoreExtra, zone, fields } = stated as Readonly<Record<string, unknown>>
  return {
    ...(areNames(key) && { key }),
    ...(policies.includes(onConflict) && { onConflict: onConflict as ConflictPolicy }),
    ...(ignoreExtra === true && { ignoreExtra }),
    ...(typeof zone === 'string' && zoneProblem(zone) === undefined && { zone }),
    ...(areNames(fields) && { fields }),
  }
}

const areNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
