/**
 * Rows that set some columns of the row of their key, or delete it. Those of one key take effect one after the other: the
 * first of each key together, then the second of each, and so on. It updates before it inserts: an INSERT would refuse NULL
 * in columns that a record does not name, before it finds that the row is there.
 */
import { isDeletion, isSent } from '../../model/change.ts'
import { settable } from '../sql/conflict.ts'
import { identifier } from './ddl.ts'
import { Staging } from './staging.ts'

export class Changes extends Staging {
  override async place(start: number, end: number): Promise<readonly number[]> {
    await this.fill(start, end)
    await this.session.run(`DROP TEMPORARY TABLE IF EXISTS ${this.chosen}`)
    // `takes` is the turn of the row among those of its key.
    await this.session.run(
      `CREATE TEMPORARY TABLE ${this.chosen} (INDEX (${this.takes})) ENGINE=InnoDB
       AS SELECT own.*, 0 AS ${this.isThere}, row_number() OVER (PARTITION BY ${this.key} ORDER BY ${this.number}) AS ${this.takes}
       FROM ${this.all} own ORDER BY ${this.key}`,
    )
    const [row] = await this.session.query(
      `SELECT coalesce(max(${this.takes}), 0) AS turns FROM ${this.chosen}`,
    )
    // All of them before the first change, in one order.
    await this.lockThere()
    const turns = Number(row?.['turns'])
    // Without any row the statements show whether they can run at all.
    for (let turn = 1; turn <= Math.max(turns, 1); turn++) await this.#take(turn)
    return Array.from({ length: end - start }, (_, index) => start + index)
  }

  protected override get fields(): readonly string[] {
    return [this.change]
  }

  async #take(turn: number): Promise<void> {
    const { chosen, target, isSame, isThere, names } = this
    const own = `own.${this.takes} = ${turn}`
    const isWhole = `own.${this.change} <> '${isDeletion}'`
    const joined = `${chosen} own STRAIGHT_JOIN ${target} target ON ${isSame}`
    await this.session.run(`UPDATE ${joined} SET own.${isThere} = 1 WHERE ${own}`)
    if (this.model.deletes === true)
      await this.session.run(
        `DELETE target FROM ${joined} WHERE ${own} AND own.${this.change} = '${isDeletion}'`,
      )
    const isNamed = (name: string) => {
      const index = this.model.columns.findIndex((column) => column.name === name)
      return `(own.${this.change} = '' OR substr(own.${this.change}, ${index + 1}, 1) = '${isSent}')`
    }
    const { required, stamps } = this.traits
    await this.refuseNull(chosen, [
      ...stamps.map((name) => [name, `${own} AND ${isWhole} AND NOT own.${isThere}`] as const),
      ...required.map(
        (name) => [name, `${own} AND ${isWhole} AND ${isNamed(name)} AND own.${isThere}`] as const,
      ),
    ])
    const sets = settable(this.model).map(
      (name) =>
        `target.${identifier(name)} = CASE WHEN ${isNamed(name)} THEN own.${identifier(name)} ELSE target.${identifier(name)} END`,
    )
    if (sets.length > 0) await this.run(`UPDATE ${joined} SET ${sets.join(', ')} WHERE ${own} AND ${isWhole}`)
    await this.run(
      `INSERT INTO ${target} (${names}) SELECT ${names} FROM ${chosen} own WHERE ${own} AND ${isWhole} AND NOT ${isThere}`,
    )
  }
}
