import { expect, it } from 'vitest'
import { codes } from '../../src/core/errors.ts'
import { readSources } from './sources.ts'

it('every code is used', () => {
  const text = [...readSources()]
    .filter(([path]) => !path.startsWith('src/core/codes/'))
    .map(([, source]) => source)
  const used = new Set(text.join('\n').match(/(?<=['"])[A-Z][A-Z_]+(?=['"])/g))
  // Its own table is the only place that needs to name it: it is what any unknown error becomes.
  used.add('INTERNAL')
  expect(Object.keys(codes).filter((code) => !used.has(code))).toEqual([])
})
