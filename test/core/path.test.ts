import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fieldPath, parsePath, type Path, pathText } from '../../src/core/path.ts'

it('a path is names with points between them, in quotes where they are odd, and [] for every element', () => {
  const paths: Record<string, Path> = {
    'data[]': ['data', null],
    Records: ['Records'],
    'Records[].s3': ['Records', null, 's3'],
    '[]': [null],
    '[].a': [null, 'a'],
    'a[][].b c': ['a', null, null, 'b c'],
    '"a.b"."\\"q\\""': ['a.b', '"q"'],
    'a."".b': ['a', '', 'b'],
  }
  for (const [text, path] of Object.entries(paths)) expect(parsePath(text), text).toEqual(path)
  const none = ['', '.', 'a.', '.a', 'a..b', 'a[0]', 'a[', 'a]', 'a.[]', '"a', '"a"b', '"\\x"', 'a"b"', '[]a']
  for (const text of none) expect(parsePath(text), text).toBeUndefined()
})

it('a field is reached by a path only if its name can be one, and leads somewhere', () => {
  expect(fieldPath('a.b')).toEqual(['a', 'b'])
  expect(fieldPath('"a.b"')).toEqual(['a.b'])
  for (const text of ['a', 'Unit price', 'a[].b', 'No.', 'v1..2', 'a [m]'])
    expect(fieldPath(text)).toBeUndefined()
})

it('every path has a text that is read as it', () => {
  const step = fc.oneof(
    fc.constant(null),
    fc.string({ unit: fc.constantFrom('a', '.', '"', '[', ']', '\\', ' ', 'é', '\n') }),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (path) => {
      expect(parsePath(pathText(path))).toEqual(path)
    }),
    { numRuns: 2_000 },
  )
})
