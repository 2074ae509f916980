/**
 * Rows that set some columns of the row of their key, or delete it: through staging, where those of one key
 * are combined in their order first. It updates before it inserts: an INSERT would refuse NULL in columns that
 * a record does not name, before it finds that the row is there.
 */
import { identifier } from '../../driver/postgres/identifier.ts'
import { isDeletion, isSent, isUnsent } from '../../model/change.ts'
import type { ModelColumn } from '../../model/model.ts'
import { changeColumn, columnNames, rowNumber, Staging } from './staging.ts'
import { identifiers, qualified } from './table/ddl.ts'

/** Of combined rows: the row of the key was deleted, and comes anew. */
const isReplaced = 'r'

export class Changes extends Staging {
  override async place(
    start: number,
    end: number,
  ): Promise<{ readonly placed: number; readonly keys: number }> {
    await this.fill(start, end)
    // Without any row the statements show whether they can run at all.
    await this.#combine()
    const { rows } = await this.client.query<{ keys: string }>(
      `SELECT count(*) AS keys FROM ${this.table} WHERE ${this.#change} <> '${isDeletion}'`,
    )
    const keys = Number(rows[0]?.keys)
    // In one order, so that two consumers do not wait for each other.
    await this.client.query(
      `SELECT FROM ${this.#target} JOIN ${this.table} lading_own ON ${this.#isSame} ORDER BY ${this.#keys('lading_own')} FOR UPDATE OF target`,
    )
    if (this.model.deletes === true) await this.#delete()
    const updated = await this.#update()
    const inserted = await this.#insertNew()
    if (updated + inserted === keys) return { placed: keys, keys }
    // What another consumer has inserted between the two is updated now.
    return { placed: await this.#update(), keys }
  }

  async #delete(): Promise<void> {
    await this.client.query(
      `DELETE FROM ${this.#target} USING ${this.table} lading_own WHERE ${this.#isSame} AND lading_own.${this.#change} IN ('${isDeletion}', '${isReplaced}')`,
    )
    // They are whole rows from here on.
    await this.client.query(
      `UPDATE ${this.table} SET ${this.#change} = '' WHERE ${this.#change} = '${isReplaced}'`,
    )
  }

  get #target(): string {
    return `${qualified(this.model)} AS target`
  }

  get #change(): string {
    return changeColumn(this.model)
  }

  #keys(of: string): string {
    return this.model.primaryKey.map((name) => `${of}.${identifier(name)}`).join(', ')
  }

  get #isSame(): string {
    return this.model.primaryKey
      .map((name) => `target.${identifier(name)} = lading_own.${identifier(name)}`)
      .join(' AND ')
  }

  /** Whether a row names column `index`. */
  #names(index: number, of = 'lading_own'): string {
    return `(${of}.${this.#change} = '' OR substr(${of}.${this.#change}, ${index + 1}, 1) = '${isSent}')`
  }

  /** Of the rows of one key, the value that was named last; where none names the column, what a new row has. */
  #last(index: number): string {
    const { name, type } = this.model.columns[index] as ModelColumn
    const [first, rest] = [
      'array_agg(',
      ` ORDER BY ${this.#names(index)} DESC, lading_own.${rowNumber(this.model)} DESC) FILTER (WHERE lading_own.${this.#change} <> '${isDeletion}')`,
    ]
    // Arrays of arrays must be of one size, so there the rows are gathered, which costs memory for each column.
    return type.kind === 'array' || type.kind === 'custom'
      ? `((${first}lading_own${rest})[1]).${identifier(name)}`
      : `(${first}lading_own.${identifier(name)}${rest})[1]`
  }

  /** Leaves one row of each key: what its rows come to, one after the other. */
  async #combine(): Promise<void> {
    const { model, table } = this
    const [key, number, change] = [identifiers(model.primaryKey), rowNumber(model), this.#change]
    const { rows } = await this.client.query<{ last: string; repeated: boolean }>(
      `SELECT max(${number}) AS last, count(*) > count(DISTINCT (${key})) AS repeated FROM ${table}`,
    )
    if (rows[0]?.repeated !== true) return
    const values = model.columns.map(({ name }, index) =>
      model.primaryKey.includes(name) ? `lading_own.${identifier(name)}` : this.#last(index),
    )
    const named = model.columns.map(
      (_, index) => `CASE WHEN bool_or(${this.#names(index)}) THEN '${isSent}' ELSE '${isUnsent}' END`,
    )
    await this.client.query(
      `INSERT INTO ${table} (${columnNames(model)}, ${change})
       SELECT ${values.join(', ')},
         CASE WHEN bool_and(lading_own.${change} = '${isDeletion}') THEN '${isDeletion}' WHEN bool_or(lading_own.${change} = '${isDeletion}') THEN '${isReplaced}' ELSE ${named.join(' || ')} END
       FROM ${table} lading_own
         LEFT JOIN (SELECT ${key}, max(${number}) AS at FROM ${table} WHERE ${change} = '${isDeletion}' GROUP BY ${key}) deleted USING (${key})
       WHERE deleted.at IS NULL OR lading_own.${number} >= deleted.at
       GROUP BY ${this.#keys('lading_own')}`,
    )
    await this.client.query(`DELETE FROM ${table} WHERE ${number} <= $1`, [rows[0].last])
  }

  /** Returns how many rows were there. */
  async #update(): Promise<number> {
    const others = this.model.columns.flatMap(({ name }, index) =>
      this.model.primaryKey.includes(name)
        ? []
        : `${identifier(name)} = CASE WHEN ${this.#names(index)} THEN lading_own.${identifier(name)} ELSE target.${identifier(name)} END`,
    )
    const where = `${this.#isSame} AND lading_own.${this.#change} <> '${isDeletion}'`
    if (others.length === 0) {
      const { rows } = await this.client.query<{ n: string }>(
        `SELECT count(*) AS n FROM ${this.#target} JOIN ${this.table} lading_own ON ${where}`,
      )
      return Number(rows[0]?.n)
    }
    const { rowCount } = await this.client.query(
      `UPDATE ${this.#target} SET ${others.join(', ')} FROM ${this.table} lading_own WHERE ${where}`,
    )
    return rowCount ?? 0
  }

  /** Returns how many rows were not there. */
  async #insertNew(): Promise<number> {
    const { model, table } = this
    const { rowCount } = await this.client.query(
      `${this.insert()} SELECT ${columnNames(model)} FROM ${table} lading_own
       WHERE lading_own.${this.#change} <> '${isDeletion}' AND NOT EXISTS (SELECT FROM ${this.#target} WHERE ${this.#isSame})
       ORDER BY ${this.#keys('lading_own')} ON CONFLICT (${identifiers(model.primaryKey)}) DO NOTHING`,
    )
    return rowCount ?? 0
  }
}
