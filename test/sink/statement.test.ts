import { expect, it } from 'vitest'
import { allOf, raw, sql } from '../../src/sink/sql/statement.ts'

const dollars = (n: number): string => `$${n}`

it('values are numbered in the order of the text, however deep their parts are nested', () => {
  const inner = sql`b = ${'two'} OR ${sql`c = ${'three'}`}`
  const whole = sql`SELECT ${raw('x')} WHERE a = ${'one'} AND (${inner}) LIMIT ${4}`
  expect(whole.text(dollars)).toBe('SELECT x WHERE a = $1 AND (b = $2 OR c = $3) LIMIT $4')
  expect(whole.values).toEqual(['one', 'two', 'three', 4])
})

it('a value is never text of the statement, whatever it holds', () => {
  const hostile = `'; DROP TABLE a; -- $1 \${}`
  const statement = sql`SELECT ${hostile}`
  expect(statement.text(dollars)).toBe('SELECT $1')
  expect(statement.values).toEqual([hostile])
})

it('conditions that do not matter are left out, and none is true', () => {
  expect(allOf([undefined, sql`a = ${1}`, undefined, sql`b = ${2}`]).text(dollars)).toBe('a = $1 AND b = $2')
  expect(allOf([undefined]).text(dollars)).toBe('true')
})
