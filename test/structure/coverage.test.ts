/** What `npm run coverage` calls reached. The lines themselves are counted by V8. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { linesOf, reachedOf } from '../../tooling/coverage/reached.ts'
import { excusesWithoutReason, statementsOf } from '../../tooling/coverage/statements.ts'
import { root } from './sources.ts'

/** Lines of the text, given where statements of the compiled code begin and how often they have run. */
async function lines(
  text: string,
  counts: readonly (readonly [line: number, column: number, count: number])[],
) {
  const statementMap = Object.fromEntries(
    counts.map(([line, column], id) => [id, { start: { line, column } }]),
  )
  const s = Object.fromEntries(counts.map(([, , count], id) => [id, count]))
  const statements = await reachedOf({ path: 'a.ts', statementMap, s }, text)
  return linesOf({ sha256: '', statements })
}

it('a line is reached when every statement on it has run', async () => {
  const text = 'const odd: boolean = ask()\nif (odd) throw new Error()\nsay()\n'
  const asked = [
    [1, 21, 1],
    [2, 0, 3],
    [3, 0, 3],
  ] as const
  expect(await lines(text, [...asked, [2, 9, 0]])).toEqual([
    [1, true],
    [2, false],
    [3, true],
  ])
  expect((await lines(text, [...asked, [2, 9, 1]])).every(([, isReached]) => isReached)).toBe(true)
})

it('statements of compiled code that the source has not do not count, and one that begins elsewhere on its line does', async () => {
  const text = "import { ask } from './ask.ts'\nexport const f = () => ask()\n"
  const getter = [1, 29, 0] as const
  expect(await lines(text, [getter, [2, 13, 1], [2, 23, 0]])).toEqual([[2, false]])
  expect(await lines(text, [getter, [2, 13, 1], [2, 23, 2]])).toEqual([[2, true]])
  expect(await lines(text, [getter, [2, 13, 0], [2, 23, 2]])).toEqual([[2, false]])
})

it('a value in brackets is one statement, whether it begins with them or behind them', async () => {
  const text = 'const a = (b as number) - 1\n'
  expect(
    await lines(text, [
      [1, 11, 3],
      [1, 10, 0],
    ]),
  ).toEqual([[1, true]])
  expect(await lines(text, [[1, 10, 0]])).toEqual([[1, false]])
})

it('a declaration has run where the statement behind it has, and not where that has not', async () => {
  const text =
    'const f = (odd) => {\n  const a = ask()\n  const b = say(a)\n  if (odd) return\n  const c = tell(b)\n  done(c)\n}\n'
  const counts = [
    [1, 10, 1],
    [2, 12, 0],
    [3, 12, 0],
    [4, 2, 2],
    [4, 11, 1],
    [5, 12, 0],
    [6, 2, 0],
  ] as const
  expect((await lines(text, counts)).filter(([, isReached]) => !isReached)).toEqual([
    [5, false],
    [6, false],
  ])
})

it('a declaration has run where the one behind it has, wherever on its line a compiler has it begin', async () => {
  const text = 'const f = () => {\n  const a = ask()\n  const b = say(a)\n  done(b)\n}\n'
  const counts = (count: number) =>
    [
      [1, 10, 1],
      [2, 8, 0],
      [3, 8, count],
      [4, 2, count],
    ] as const
  expect((await lines(text, counts(1))).every(([, isReached]) => isReached)).toBe(true)
  expect((await lines(text, counts(0))).filter(([, isReached]) => isReached)).toEqual([[1, true]])
})

it('what is excused is no line to be reached, and every excuse says why', async () => {
  const text = 'a()\n// v8 ignore next -- no test has such a disk\nb()\nc()\n'
  expect((await statementsOf(text)).map(({ line }) => line)).toEqual([1, 4])
  expect(excusesWithoutReason(text)).toEqual([])
  expect(
    excusesWithoutReason('// v8 ignore next\na() /* v8 ignore next -- why */\n// v8 ignore stop'),
  ).toEqual([1, 2])
  const bare = globSync('src/**/*.ts', { cwd: root }).filter(
    (path) => excusesWithoutReason(readFileSync(join(root, path), 'utf8')).length > 0,
  )
  expect(bare).toEqual([])
})
