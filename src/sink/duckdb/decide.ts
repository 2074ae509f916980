/**
 * What becomes of each staged row, as if the rows were written one after the other: decided here, from the keys of the
 * batch and of the rows that have one of them, and written in two statements.
 */
import type { Fault } from '../../core/fault.ts'
import type { CatalogKey } from './catalog.ts'
import { identifier } from './ddl.ts'
import type { Planned } from './stage.ts'
import { numberName, projection, type Target } from './target.ts'

export interface Decision {
  readonly refused: ReadonlyMap<number, Fault>
  /** Left out by the conflict policy. */
  readonly skipped: ReadonlySet<number>
  readonly planned: readonly Planned[]
}

/** A row of the table, or one that is new in it. */
interface Holder {
  readonly target: bigint | undefined
  /** The staged row that it is to be like. */
  row: number | undefined
  /** Greater for a greater version. */
  version: number | undefined
  /** By key; undefined where a value of it is NULL. */
  groups: (number | undefined)[]
}

/** Equal values of a key have one number. */
interface Groups {
  readonly ofRow: ReadonlyMap<number, number>
  readonly ofTarget: ReadonlyMap<bigint, number>
  /** Ranks of versions, if the key decides by one. */
  readonly versionOfRow: ReadonlyMap<number, number>
  readonly versionOfTarget: ReadonlyMap<bigint, number>
}

/** Of the rows, in their order; `refused` ones are left out. */
export async function decide(
  target: Target,
  rows: readonly number[],
  refused: ReadonlyMap<number, Fault>,
): Promise<Decision> {
  const { keys } = target.catalog
  const groups: Groups[] = []
  for (const key of keys) groups.push(await groupsOf(target, key))
  return new Course(target, groups).run(rows, refused)
}

async function groupsOf(target: Target, key: CatalogKey): Promise<Groups> {
  const { session, name, model, deciding } = target
  const version = key === deciding && model.version !== undefined ? identifier(model.version) : undefined
  const parts = key.compared.map((_, index) => `k${index}`)
  const named = (values: readonly string[]) => values.map((each, index) => `${each} AS k${index}`).join(', ')
  const compared = named(key.compared)
  // An expression that fails for a row refuses it when the row is written, and no other one.
  const tried = key.columns === undefined ? named(key.compared.map((each) => `TRY(${each})`)) : compared
  const staged = `SELECT ${numberName(target)} AS n, CAST(NULL AS BIGINT) AS id, ${tried}, ${version ?? 'NULL'} AS v FROM (${projection(target)})`
  const old = `SELECT CAST(NULL AS INTEGER) AS n, rowid AS id, ${compared}, ${version ?? 'NULL'} AS v FROM ${name}`
  const [numbers = [], ids = [], found = [], versions = []] = await session.columns(
    `WITH staged AS MATERIALIZED (${staged}), both_ AS (SELECT * FROM staged UNION ALL SELECT * FROM (${old}) SEMI JOIN staged USING (${parts.join(', ')}))
     SELECT n, id, CAST(dense_rank() OVER (ORDER BY ${parts.join(', ')}) AS INTEGER), ${
       version === undefined
         ? 'NULL'
         : 'CASE WHEN v IS NOT NULL THEN CAST(dense_rank() OVER (ORDER BY v) AS INTEGER) END'
     }
     FROM ${replacesAny(target) ? 'staged' : 'both_'} WHERE ${parts.map((part) => `${part} IS NOT NULL`).join(' AND ')}`,
  )
  const groups = {
    ofRow: new Map<number, number>(),
    ofTarget: new Map<bigint, number>(),
    versionOfRow: new Map<number, number>(),
    versionOfTarget: new Map<bigint, number>(),
  }
  for (const [at, group] of found.entries()) {
    const [row, id, rank] = [numbers[at] as number | null, ids[at] as bigint, versions[at] as number | null]
    if (row === null) groups.ofTarget.set(id, group as number)
    else groups.ofRow.set(row, group as number)
    if (rank === null) continue
    if (row === null) groups.versionOfTarget.set(id, rank)
    else groups.versionOfRow.set(row, rank)
  }
  return groups
}

class Course {
  readonly #target: Target
  readonly #groups: readonly Groups[]
  readonly #deciding: number
  /** By key, who has the values. */
  readonly #holders: Map<number, Holder>[]
  readonly #touched = new Set<Holder>()
  readonly #refused = new Map<number, Fault>()
  readonly #skipped = new Set<number>()

  constructor(target: Target, groups: readonly Groups[]) {
    this.#target = target
    this.#groups = groups
    this.#deciding = target.deciding === undefined ? -1 : target.catalog.keys.indexOf(target.deciding)
    this.#holders = groups.map(() => new Map())
    const known = new Map<bigint, Holder>()
    for (const [index, { ofTarget }] of groups.entries())
      for (const [id, group] of ofTarget) {
        const version = groups[this.#deciding]?.versionOfTarget.get(id)
        const holder = known.get(id) ?? { target: id, row: undefined, version, groups: [] }
        known.set(id, holder)
        holder.groups[index] = group
        this.#holders[index]?.set(group, holder)
      }
  }

  run(rows: readonly number[], refused: ReadonlyMap<number, Fault>): Decision {
    for (const [row, fault] of refused) this.#refused.set(row, fault)
    for (const row of rows) if (!refused.has(row)) this.#write(row)
    const planned = [...this.#touched].flatMap(({ row, target }) =>
      row === undefined ? [] : [{ row, target }],
    )
    return { refused: this.#refused, skipped: this.#skipped, planned }
  }

  #write(row: number): void {
    const groups = this.#groups.map(({ ofRow }) => ofRow.get(row))
    const own = this.#holder(this.#deciding, groups)
    const version = this.#groups[this.#deciding]?.versionOfRow.get(row)
    if (own !== undefined && !this.#takes(own, version)) {
      this.#skipped.add(row)
      return
    }
    const rival = groups.findIndex((_, index) => ![undefined, own].includes(this.#holder(index, groups)))
    if (rival >= 0) {
      const { compared } = this.#target.catalog.keys[rival] as CatalogKey
      this.#refused.set(row, {
        code: 'CONSTRAINT_UNIQUE',
        detail: `another row has the same key (${compared.join(', ')})`,
      })
      return
    }
    const holder: Holder = own ?? { target: undefined, row, version, groups: [] }
    for (const [index, group] of holder.groups.entries())
      if (group !== undefined) this.#holders[index]?.delete(group)
    for (const [index, group] of groups.entries())
      if (group !== undefined) this.#holders[index]?.set(group, holder)
    Object.assign(holder, { row, version, groups })
    this.#touched.add(holder)
  }

  #holder(index: number, groups: readonly (number | undefined)[]): Holder | undefined {
    const group = groups[index]
    return group === undefined ? undefined : this.#holders[index]?.get(group)
  }

  /** No version is less than every version. */
  #takes({ version: old }: Holder, version: number | undefined): boolean {
    const { model } = this.#target
    if (model.onConflict === 'skip' || notInKey(this.#target).length === 0) return false
    if (model.version === undefined || old === undefined) return true
    return version !== undefined && version >= old
  }
}

/**
 * Whether a row takes the place of any row of its key, and no other key can refuse it: then the table need not be asked
 * which of the keys it has, which reads all of them.
 */
export const replacesAny = (target: Target): boolean =>
  target.model.onConflict === 'update' &&
  target.model.version === undefined &&
  target.deciding?.columns !== undefined &&
  target.catalog.keys.length === 1 &&
  notInKey(target).length > 0

/** Columns that an update sets. An expression may give one key to several values of a column. */
export const notInKey = ({ model, columns, deciding }: Target) =>
  columns.filter(({ name }) => deciding?.columns === undefined || !model.primaryKey.includes(name))
