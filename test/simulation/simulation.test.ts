import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../simulation/', import.meta.url))
const main = `${folder}main.ts`

/** In a process of its own, because it replaces the clock. */
async function simulate(
  ...options: readonly string[]
): Promise<{ readonly code: number; readonly out: string }> {
  const running = promisify(execFile)(process.execPath, [main, ...options])
  return await running.then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, out: error.stdout }),
  )
}

it('consumers and loads keep every rule in schedules of failures, and the same seed gives the same schedules', async () => {
  const [first, again, other] = await Promise.all([
    simulate('--schedules', '100', '--seed', '7'),
    simulate('--schedules', '100', '--seed', '7'),
    simulate('--schedules', '20', '--seed', '1000'),
  ])
  expect(first.code, first.out).toBe(0)
  expect(other.code, other.out).toBe(0)
  expect(again.out).toBe(first.out)
  expect(other.out).not.toBe(first.out)
  for (const event of ['a consumer is killed', 'commit, answer lost', 'a settlement comes too late'])
    expect(first.out).toContain(event)
  for (const event of ['a load is killed', 'publish, answer lost', 'a load is complete'])
    expect(first.out).toContain(event)
})

it('the simulation stands on the contracts, and knows no adapter', () => {
  const code = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const imports = code.flatMap((name) =>
    [...readFileSync(folder + name, 'utf8').matchAll(/from '(\.\.\/[^']+)'/g)].map(([, path]) => path),
  )
  expect(imports).toContain('../src/queue/queue.ts')
  expect(
    imports.filter(
      (path) =>
        !/^\.\.\/src\/(core|model|queue|sink|source|consumer|producer|load)\/[\w-]+\.ts$/.test(path ?? ''),
    ),
  ).toEqual([])
})

it('a fault of the consumer is found, and shrinks to a short schedule that shows it again', async () => {
  const fault = ['--sabotage', 'settles before the commit']
  const found = await simulate(...fault, '--schedules', '400')
  expect(found.code).toBe(1)
  expect(found.out).toContain('the rule that is broken: nothing is settled before its verdict')
  const schedule = /--replay '([\d:,]*)'/.exec(found.out)?.[1] ?? 'none'
  expect(schedule.split(',').length).toBeLessThan(4)
  const replayed = await simulate(...fault, '--replay', schedule)
  expect(replayed.code).toBe(1)
  expect(found.out.endsWith(replayed.out)).toBe(true)
  expect(await simulate('--replay', schedule)).toMatchObject({ code: 0 })
})
