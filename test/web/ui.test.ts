/** `lading ui`: the page of a database without a run, and what it says of runs that are not its own. */
import type { Browser } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { openSink, type Receipt } from 'lading'
import type { LoadAnswer } from '../../src/web/answers.ts'
import { answerOf } from '../../src/web/history.ts'
import { startChromium } from '../../tooling/servers/chromium.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { expectError, Folder, header, record, records } from '../cli/run.ts'
import { Fixture } from '../support/fixture.ts'
import { type Site, startSite, Visitor } from './site.ts'

interface Answer {
  readonly items: readonly LoadAnswer[]
  readonly next?: string
}

async function get<T = Answer>({ url, page }: Site, path: string): Promise<T> {
  const authorization = `Bearer ${/#token=(.+)$/.exec(page)?.[1]}`
  const answer = await fetch(`${url}${path}`, { headers: { authorization } })
  expect(answer.status, path).toBe(200)
  return (await answer.json()) as T
}

const sourcesOf = ({ items }: Answer) => items.map(({ source }) => source)

describe('lading ui', () => {
  it('lists all loads page by page, by state, pipeline and name, each with its receipt, and ends at a signal', async () => {
    await using folder = await Folder.make(
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`many/F${n}.csv`, header + record(n)])),
    )
    await folder.write('bad.csv', header + record(1, 'none'))
    expect((await folder.lading('load', 'many')).code).toBe(0)
    await folder.lading('load', 'bad.csv', '--pipeline', 'other')
    await using site = await startSite(folder, ['ui'])
    const first = await get(site, '/api/loads')
    const second = await get(site, `/api/loads?after=${first.next}`)
    expect([first.items.length, second.items.length, second.next]).toEqual([50, 11, undefined])
    expect(new Set([...sourcesOf(first), ...sourcesOf(second)]).size).toBe(61)
    expect(first.items[0]).toMatchObject({
      source: 'bad.csv',
      pipeline: 'other',
      outcome: 'rejects',
      open: 0,
    })
    expect(first.items[1]).toMatchObject({ outcome: 'complete', tookMs: expect.any(Number) })
    expect(sourcesOf(await get(site, '/api/loads?state=rejects'))).toEqual(['bad.csv'])
    expect(sourcesOf(await get(site, '/api/loads?state=open'))).toEqual([])
    expect(sourcesOf(await get(site, '/api/loads?search=f59&state=complete'))).toEqual(['F59.csv'])
    expect(sourcesOf(await get(site, '/api/loads?pipeline=other'))).toEqual(['bad.csv'])
    expect(await get<string[]>(site, '/api/pipelines')).toEqual(['other', 'records'])
    expect(await get(site, `/api/loads/${first.items[0]?.loadId}`)).toMatchObject({ source: 'bad.csv' })
    expect(await get(site, '/api/snapshot')).toMatchObject({ state: { kind: 'none' }, queue: {} })
    for (const query of ['state=wrong', 'after=x', `search=${'x'.repeat(201)}`])
      expect((await fetch(`${site.url}/api/loads?${query}`)).status).toBe(401)
    expect(await site.end('SIGINT')).toBe(0)
  })

  it('shows what waits in a queue that is named, once there is one', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    await folder.lading('load', 'a.csv')
    await using site = await startSite(folder, ['ui', '--queue', 'embedded:./queue.db'])
    const depth = async () => (await get<{ queue: { depth?: unknown } }>(site, '/api/snapshot')).queue.depth
    expect(await depth()).toBeUndefined()
    await folder.lading('produce', 'a.csv', '--queue', 'embedded:./queue.db', '--again')
    await expect.poll(depth, { timeout: 10_000 }).toMatchObject({ ready: 1 })
  })

  it('says that there is nothing to show', async () => {
    await using folder = await Folder.make()
    expectError(await folder.lading('ui', '--to', 'sqlite::memory:'), 'USAGE', 64, 'in memory')
    expect((await folder.lading('ui', '--to', 'sqlite:none.db')).code).not.toBe(0)
    const away = await folder.lading('ui', '--to', `postgresql://me@127.0.0.1:${await freePort()}/mydb`)
    expectError(away, 'SINK_UNAVAILABLE', 69, 'PostgreSQL')
  })
})

it('a load that others run is loading only while it is seen to move, and complete only when it adds up', () => {
  const receipt = {
    loadId: 'a',
    records: 10,
    loaded: 4,
    rejected: 0,
    skipped: 0,
    dead: 0,
    filtered: 0,
    chunks: 2,
    chunksDone: 1,
    rejectRows: 0,
    deadLetterRecords: 0,
    startedAt: '2026-01-01T00:00:00.000Z',
    lastAt: '2026-01-01T00:00:02.000Z',
  } as unknown as Receipt
  const of = (more: Partial<Receipt>, isMoving = false) => answerOf({ ...receipt, ...more }, isMoving)
  expect(of({})).toMatchObject({ outcome: 'open', open: 6, tookMs: undefined })
  expect(of({}, true)).toMatchObject({ outcome: 'loading', perSecond: undefined })
  expect(of({ loaded: 10, chunksDone: 2 })).toMatchObject({ outcome: 'complete', tookMs: 2000, perSecond: 5 })
  expect(of({ loaded: 9, rejected: 1, rejectRows: 1, chunksDone: 2 })).toMatchObject({ outcome: 'rejects' })
  expect(of({ loaded: 10, rejected: 1, chunksDone: 2 })).toMatchObject({ outcome: 'wrong' })
})

const found = await startChromium().catch((error: unknown) => {
  if (process.env['CI'] || !(error instanceof Unavailable)) throw error
  return undefined
})
afterAll(() => found?.close())

describePostgres('the page of a database that others load into', () => {
  it.skipIf(found === undefined)(
    'shows their load moving, keeps the address of each load, and needs no run to correct rejects',
    async () => {
      await using fixture = await Fixture.open('postgres')
      const to = fixture.target.url
      const rows = Array.from({ length: 3_000 }, (_, n) => {
        const at = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString()
        return `${at},a,${n === 1000 ? 'none' : n}\n`
      })
      await using folder = await Folder.make({ 'numbers.csv': header + rows.join('') })
      {
        await using sink = await openSink(to)
        await sink.prepare()
      }
      await using site = await startSite(folder, ['ui', '--to', to])
      await using visitor = await Visitor.come(found as Browser, site.page)
      const { page } = visitor
      await page.getByRole('heading', { name: 'Loads' }).waitFor()
      await page.getByText('No load yet.').waitFor()
      await folder.lading('produce', 'numbers.csv', '--chunk-bytes', '20000')
      const consume = (...args: string[]) =>
        folder.lading('consume', '--to', to, '--batch-messages', '1', '--allow-rejects', ...args)
      await consume('--batches', '2')
      await page.getByRole('cell', { name: /^open, \d+\.\d %$/ }).waitFor()
      await consume('--batches', '2')
      await page.getByRole('cell', { name: /^loading elsewhere, \d+\.\d %$/ }).waitFor()
      await consume('--until-empty')
      await page.getByRole('cell', { name: 'complete, with rejects' }).waitFor()
      await page.getByRole('button', { name: 'numbers.csv' }).click()
      await page.getByRole('heading', { name: 'Receipt of numbers.csv' }).waitFor()
      const address = page.url()
      expect(address).toMatch(/#\/loads\/[0-9a-f-]{36}$/)
      await page.keyboard.press('Escape')
      await expect.poll(() => page.url()).toBe(`${site.url}/#/loads`)
      await page.goto('about:blank')
      await page.goto(address)
      await page.getByRole('heading', { name: 'Receipt of numbers.csv' }).waitFor()
      await page.getByRole('link', { name: 'Its rejects' }).click()
      await page.locator('#rejects-table tbody tr').first().waitFor()
      visitor.expectCalm(site)
    },
  )
})
