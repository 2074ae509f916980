/** `npm run demo` shows what it says that it shows. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../structure/sources.ts'

it('the demo kills a load half-way, and everything adds up', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'examples/demo.ts')], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  expect(status, stderr).toBe(0)
  const committed = Number(/kill -9: ([\d,]+) of 400,000 rows/.exec(stdout)?.[1]?.replaceAll(',', ''))
  expect(committed).toBeGreaterThan(0)
  expect(committed).toBeLessThan(399_999)
  expect(stdout).toContain('rows: 399,999\n  different readings: 399,999\n')
  expect(stdout).toMatch(/^ +\d+ \| .*broken\n +\| +\^{6}$/m)
  expect(stdout).toContain('this run loaded 0 records')
  expect(stdout).toMatch(/all +400,000 +400,000 +0 +0 +0 +0\n +every load is complete and adds up/)
  // Two screens at most.
  expect(stdout.split('\n').length).toBeLessThan(60)
})
