/** What a run claims while it goes on, held against what came of it: snapshots of real loads. */
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { Snapshot } from '../../src/observe/snapshot.ts'
import { Folder, header } from '../cli/run.ts'
import { type Site, startSite } from './site.ts'

const rows = 30_000
const csv = (sensor: string, bad: number) =>
  header +
  Array.from({ length: rows }, (_, n) => {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString()
    return `${at},${sensor},${n === bad ? 'none' : n}\n`
  }).join('')

async function* snapshotsOf({ url, page }: Site): AsyncGenerator<Snapshot> {
  const authorization = `Bearer ${/#token=(.+)$/.exec(page)?.[1]}`
  for (;;) {
    const answer = await fetch(`${url}/api/snapshot`, { headers: { authorization } }).catch(() => undefined)
    if (answer === undefined) return
    yield (await answer.json()) as Snapshot
  }
}

it('a load that is killed and run again never goes back, never claims an end, and shows what was rejected', async () => {
  await using folder = await Folder.make({
    'data/a.csv': csv('a', -1),
    'data/b.csv.gz': gzipSync(csv('b', 17)),
    'data/c.csv': csv('c', -1),
  })
  const args = ['load', 'data', '--chunk-bytes', '20000', '--batch-messages', '1', '--http-linger']
  const shares = new Map<string, number>()
  const kinds: string[] = []
  const look = (snapshot: Snapshot, run: number) => {
    const { state, share, loads, work } = snapshot
    if (kinds.at(-1) !== state.kind) kinds.push(state.kind)
    if (state.open > 0) expect(['idle', 'complete', 'rejects']).not.toContain(state.kind)
    if (work.rejected > 0) expect(state.bad).toBe('1 record rejected')
    // The share of a whole run begins again with it; that of a load does not.
    for (const [name, now] of [[`run ${run}`, share], ...loads.map((load) => [load.loadId, load.share])] as [
      string,
      number | undefined,
    ][]) {
      if (now === undefined) continue
      expect(now, name).toBeGreaterThanOrEqual(shares.get(name) ?? 0)
      shares.set(name, now)
    }
  }
  {
    await using site = await startSite(folder, args)
    for await (const snapshot of snapshotsOf(site)) {
      look(snapshot, 1)
      if ((snapshot.share ?? 0) > 0.4) await site.end('SIGKILL')
    }
    expect(kinds.at(-1)).toBe('loading')
  }
  await using site = await startSite(folder, args)
  let last: Snapshot | undefined
  for await (const snapshot of snapshotsOf(site)) {
    look(snapshot, 2)
    last = snapshot
    if (snapshot.course.ended !== undefined) break
  }
  expect(kinds.at(-1)).toBe('rejects')
  expect(last).toMatchObject({ share: 1, course: { ended: { by: 'itself' } }, state: { open: 0 } })
  expect([...shares.values()].every((share) => share === 1 || share < 0.999)).toBe(true)
  expect([...shares].filter(([, share]) => share === 1)).toHaveLength(4)
  // The page stays until somebody ends it, and what the load came to is its exit code.
  expect((await fetch(`${site.url}/readyz`)).status).toBe(200)
  expect(await site.end()).toBe(3)
})
