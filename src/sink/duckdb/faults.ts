/** Rows that the table would refuse whatever else it holds, found by asking: an error would end the transaction. */
import type { Fault } from '../../core/fault.ts'
import { identifier, qualified } from './ddl.ts'
import { rowFault } from './errors.ts'
import { rowNumber, stage } from './stage.ts'
import { numberName, projection, type Target, triedValueOf } from './target.ts'

interface Rule {
  /** The numbers of the rows that break it. */
  readonly query: string
  readonly fault: Fault
}

/** What a cast would change without an error; nothing else needs to be asked before rows are written. */
export const changedRows = (target: Target): Promise<Map<number, Fault>> =>
  broken(target, castRules(target, true))

export const faultyRows = (target: Target): Promise<Map<number, Fault>> =>
  broken(target, [
    ...castRules(target, false),
    ...nullRules(target),
    ...checkRules(target),
    ...foreignRules(target),
  ])

/** Of several rules the first. */
async function broken({ session }: Target, rules: readonly Rule[]): Promise<Map<number, Fault>> {
  const faults = new Map<number, Fault>()
  for (const { query, fault } of rules) {
    let numbers: readonly unknown[]
    try {
      ;[numbers = []] = await session.columns(query)
    } catch (error) {
      // An expression that fails says so of the row again, when it is written.
      // v8 ignore next -- memory or the disk has to fail in this very question
      if (rowFault(error) === undefined) throw error
      continue
    }
    for (const number of numbers) if (!faults.has(number as number)) faults.set(number as number, fault)
  }
  return faults
}

const castRules = ({ columns }: Target, isBefore: boolean): Rule[] =>
  columns
    .filter(({ isCast, isLossy }) => (isBefore ? isLossy : isCast))
    .map((column) => {
      const { name, staged, stagedType, type, isLossy } = column
      const tried = triedValueOf(column)
      const changes = isLossy ? ` OR TRY_CAST(${tried} AS ${stagedType}) IS DISTINCT FROM ${staged}` : ''
      return {
        query: `SELECT ${rowNumber} FROM ${stage} WHERE ${staged} IS NOT NULL AND (${tried} IS NULL${changes})`,
        fault: {
          code: 'VALUE_REFUSED',
          detail: `the value is none that a column of type ${shortened(type)} keeps`,
          column: name,
        },
      }
    })

/** An ENUM may have many values. */
const shortened = (type: string): string => type.replace(/^ENUM\(.*/, 'ENUM')

function nullRules({ catalog, columns }: Target): Rule[] {
  const required = new Set(catalog.columns.filter(({ notNull }) => notNull).map(({ name }) => name))
  return columns
    .filter(({ name }) => required.has(name))
    .map(({ name, staged }) => ({
      query: `SELECT ${rowNumber} FROM ${stage} WHERE ${staged} IS NULL`,
      fault: { code: 'CONSTRAINT_NOT_NULL', detail: `column ${name} takes no NULL`, column: name },
    }))
}

const checkRules = (target: Target): Rule[] =>
  target.catalog.checks.map(({ expression }) => ({
    query: `SELECT ${numberName(target)} FROM (${projection(target)}) WHERE NOT (${expression})`,
    fault: { code: 'CONSTRAINT_CHECK', detail: `CHECK (${expression})` },
  }))

/** Rows that refer to others of their own table are left to the table: it may get them in the same batch. */
const foreignRules = (target: Target): Rule[] =>
  target.catalog.foreignKeys
    .filter(({ parent }) => parent.toLowerCase() !== target.catalog.table.toLowerCase())
    .map(({ columns, parent, referred }) => {
      const given = columns.map((name) => `r.${identifier(name)} IS NOT NULL`)
      const same = columns.map(
        (name, index) => `p.${identifier(referred[index] ?? name)} = r.${identifier(name)}`,
      )
      const parents = qualified(target.session.catalog, { schema: target.model.schema, table: parent })
      return {
        query: `SELECT ${numberName(target)} FROM (${projection(target)}) r WHERE ${given.join(' AND ')}
          AND NOT EXISTS (SELECT 1 FROM ${parents} p WHERE ${same.join(' AND ')})`,
        fault: {
          code: 'CONSTRAINT_FOREIGN_KEY',
          detail: `(${columns.join(', ')}) refers to a row of ${parent} that does not exist`,
        },
      }
    })
