import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codes } from '../../src/core/errors.ts'
import { readSources, root } from './sources.ts'

const file = join(root, 'docs/errors.md')

describe('docs/errors.md', () => {
  it('has a row for each code, with its action, exit code and meaning', () => {
    const documented = rows()
    const expected = Object.entries(codes).map(
      ([code, { action, exit, meaning }]) => `| ${code} | ${action} | ${exit} | ${meaning} |`,
    )
    expect(expected.filter((row) => !documented.includes(row))).toEqual([])
  })

  it('has no row for a code that is gone', () => {
    const documented = rows().map((row) => row.split(' | ')[0]?.slice(2) ?? '')
    expect(documented.filter((code) => !Object.hasOwn(codes, code))).toEqual([])
  })
})

it('every code is used', () => {
  const text = [...readSources()]
    .filter(([path]) => !path.startsWith('src/core/codes/'))
    .map(([, source]) => source)
  const used = new Set(text.join('\n').match(/(?<=['"])[A-Z][A-Z_]+(?=['"])/g))
  // Its own table is the only place that needs to name it: it is what any unknown error becomes.
  used.add('INTERNAL')
  expect(Object.keys(codes).filter((code) => !used.has(code))).toEqual([])
})

/**
 * The rows whose first cell is a code, cut to four cells and rid of padding and backticks: columns after them
 * are free.
 */
function rows(): string[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const tables = lines.filter((line) => /^\|\s*`?[A-Z][A-Z_]+`?\s*\|/.test(line))
  return tables.map((line) => {
    const cells = line.split('|').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'))
    return `| ${cells.slice(1, 5).join(' | ')} |`
  })
}
