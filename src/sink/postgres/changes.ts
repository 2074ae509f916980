/**
 * Rows that set some columns of the row of their key, or delete it: through staging, where those of one key
 * are combined in their order first. It updates before it inserts: an INSERT would refuse NULL in columns that
 * a record does not name, before it finds that the row is there.
 */
import { isDeletion, isSent, isUnsent } from '../../model/change.ts'
import { changeColumn, columnNames, rowNumber, Staging } from './staging.ts'
import { identifier, identifiers, qualified } from './table/ddl.ts'

/** Of combined rows: the row of the key was deleted, and comes anew. */
const isReplaced = 'r'

export class Changes extends Staging {
  override async place(
    start: number,
    end: number,
  ): Promise<{ readonly placed: number; readonly keys: number }> {
    await this.fill(start, end)
    if (start === end) return { placed: 0, keys: 0 }
    await this.#combine()
    const { rows } = await this.client.query<{ keys: string }>(
      `SELECT count(*) AS keys FROM ${this.table} WHERE ${this.#change} <> '${isDeletion}'`,
    )
    const keys = Number(rows[0]?.keys)
    // In one order, so that two consumers do not wait for each other.
    await this.client.query(
      `SELECT FROM ${this.#target} JOIN ${this.table} own ON ${this.#isSame} ORDER BY ${this.#keys('own')} FOR UPDATE OF target`,
    )
    await this.client.query(
      `DELETE FROM ${this.#target} USING ${this.table} own WHERE ${this.#isSame} AND own.${this.#change} IN ('${isDeletion}', '${isReplaced}')`,
    )
    // They are whole rows from here on.
    await this.client.query(
      `UPDATE ${this.table} SET ${this.#change} = '' WHERE ${this.#change} = '${isReplaced}'`,
    )
    const updated = await this.#update()
    const inserted = await this.#insertNew()
    // What another consumer has inserted between the two is updated now.
    const placed = updated + inserted === keys ? keys : await this.#update()
    return { placed, keys }
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
      .map((name) => `target.${identifier(name)} = own.${identifier(name)}`)
      .join(' AND ')
  }

  /** Whether a row names column `index`. */
  #names(index: number, of = 'own'): string {
    return `(${of}.${this.#change} = '' OR substr(${of}.${this.#change}, ${index + 1}, 1) = '${isSent}')`
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
      model.primaryKey.includes(name)
        ? `own.${identifier(name)}`
        : `((array_agg(own ORDER BY ${this.#names(index)} DESC, own.${number} DESC) FILTER (WHERE own.${change} <> '${isDeletion}'))[1]).${identifier(name)}`,
    )
    const named = model.columns.map(
      (_, index) => `CASE WHEN bool_or(${this.#names(index)}) THEN '${isSent}' ELSE '${isUnsent}' END`,
    )
    await this.client.query(
      `INSERT INTO ${table} (${columnNames(model)}, ${change})
       SELECT ${values.join(', ')},
         CASE WHEN bool_and(own.${change} = '${isDeletion}') THEN '${isDeletion}' WHEN bool_or(own.${change} = '${isDeletion}') THEN '${isReplaced}' ELSE ${named.join(' || ')} END
       FROM ${table} own
         LEFT JOIN (SELECT ${key}, max(${number}) AS at FROM ${table} WHERE ${change} = '${isDeletion}' GROUP BY ${key}) deleted USING (${key})
       WHERE deleted.at IS NULL OR own.${number} >= deleted.at
       GROUP BY ${this.#keys('own')}`,
    )
    await this.client.query(`DELETE FROM ${table} WHERE ${number} <= $1`, [rows[0].last])
  }

  /** Returns how many rows were there. */
  async #update(): Promise<number> {
    const others = this.model.columns.flatMap(({ name }, index) =>
      this.model.primaryKey.includes(name)
        ? []
        : `${identifier(name)} = CASE WHEN ${this.#names(index)} THEN own.${identifier(name)} ELSE target.${identifier(name)} END`,
    )
    const where = `${this.#isSame} AND own.${this.#change} <> '${isDeletion}'`
    if (others.length === 0) {
      const { rows } = await this.client.query<{ n: string }>(
        `SELECT count(*) AS n FROM ${this.#target} JOIN ${this.table} own ON ${where}`,
      )
      return Number(rows[0]?.n)
    }
    const { rowCount } = await this.client.query(
      `UPDATE ${this.#target} SET ${others.join(', ')} FROM ${this.table} own WHERE ${where}`,
    )
    return rowCount ?? 0
  }

  /** Returns how many rows were not there. */
  async #insertNew(): Promise<number> {
    const { model, table } = this
    const { rowCount } = await this.client.query(
      `${this.insert()} SELECT ${columnNames(model)} FROM ${table} own
       WHERE own.${this.#change} <> '${isDeletion}' AND NOT EXISTS (SELECT FROM ${this.#target} WHERE ${this.#isSame})
       ORDER BY ${this.#keys('own')} ON CONFLICT (${identifiers(model.primaryKey)}) DO NOTHING`,
    )
    return rowCount ?? 0
  }
}
