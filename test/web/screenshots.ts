/**
 * `npm run screenshots`: the pictures of docs/dashboard.md, of a real load of generated readings into a
 * private PostgreSQL.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openQueue } from '../../src/queue/registry.ts'
import { Folder } from '../cli/run.ts'
import { startChromium } from '../../tooling/servers/chromium.ts'
import { startPostgres } from '../../tooling/servers/postgres.ts'
import { type Look, startSite, Visitor } from './site.ts'

const images = join(import.meta.dirname, '../../docs/images')
const filesOf = { north: 1_200_000, south: 900_000, harbour: 700_000 }
const desk: Look = { width: 1280, height: 800 }
const phone: Look = { width: 375, height: 760 }

await using server = await startPostgres()
await using browser = await startChromium()
await using folder = await Folder.make()
mkdirSync(images, { recursive: true })
for (const [name, count] of Object.entries(filesOf))
  await folder.write(`data/${name}.csv`, readings(name, count))

const to = ['--to', server.url, '--model', 'records']
{
  const load = [
    ...to,
    '--consumers',
    '1',
    '--allow-rejects',
    '--chunk-bytes',
    '20000',
    '--batch-messages',
    '12',
    '--defer-indexes',
    'never',
  ]
  await using site = await startSite(folder, ['load', 'data', ...load])
  await using light = await Visitor.come(browser, site.page, desk)
  await using dark = await Visitor.come(browser, site.page, { ...phone, dark: true })
  const share = async () => Number.parseFloat((await light.page.locator('#left').textContent()) ?? '0')
  while ((await share()) < 60) await light.page.waitForTimeout(250)
  await save(light, 'overview')
  await save(dark, 'overview-phone-dark')
}
{
  await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
  await queue.publish([
    {
      key: 'reading-17',
      body: Buffer.from('{"record_time": "2026-03-01T08:00:00Z", "sensor_id": '),
      headers: { 'content-type': 'application/json', 'x-sensor': 'harbour-17' },
    },
  ])
}
{
  await using site = await startSite(folder, ['consume', ...to, '--allow-rejects'])
  await using dark = await Visitor.come(browser, site.page, { ...desk, dark: true })
  await using light = await Visitor.come(browser, site.page, phone)
  for (const { page } of [dark, light]) {
    await page.getByRole('heading', { name: 'Complete' }).waitFor({ timeout: 120_000 })
    await page.getByRole('link', { name: 'Rejects' }).click()
    await page.locator('#rejects-table tbody tr').first().waitFor()
  }
  await save(light, 'rejects-phone')
  for (const { page } of [dark, light]) {
    await page.locator('#rejects-table tbody tr:nth-child(3) button').click()
    await page.getByRole('article').waitFor()
  }
  await save(dark, 'reject-dark')
  await light.page.getByRole('button', { name: 'Edit' }).click()
  await save(light, 'edit-phone')
  await dark.page.emulateMedia({ colorScheme: 'light' })
  await dark.page.getByRole('link', { name: 'Dead letters' }).click()
  await dark.page.locator('#dead-table tbody button').first().click()
  await dark.page.getByRole('article').waitFor()
  await save(dark, 'dead-letter')
}

{
  await using site = await startSite(folder, ['ui', '--to', server.url])
  await using visitor = await Visitor.come(browser, site.page, desk)
  await visitor.page.locator('#history-table tbody tr').first().waitFor()
  await save(visitor, 'loads')
}

async function save({ page }: Visitor, name: string): Promise<void> {
  const image = await page.screenshot({ animations: 'disabled' })
  writeFileSync(join(images, `${name}.png`), image)
  process.stdout.write(`docs/images/${name}.png: ${Math.ceil(image.length / 1024)} KiB\n`)
}

/** With something wrong now and then, in ways that files are wrong. */
function readings(sensor: string, count: number): string {
  const lines = ['record_time,sensor_id,value']
  const start = Date.UTC(2026, 2, 1)
  for (let n = 0; n < count; n++) {
    const at = new Date(start + n * 1000).toISOString().slice(0, 19)
    if (n % 9_000 === 4_000) lines.push(`${at}Z,${sensor}-${n % 40},n/a`)
    else if (n % 21_000 === 7_000) lines.push(`${at.replace('T', ' ').slice(0, 10)},${sensor}-${n % 40},20.5`)
    else if (n % 50_000 === 20_000) lines.push(`${at}Z,${sensor}-${n % 40},20.5,°C`)
    else if (n % 70_000 === 30_000) lines.push(`${at}Z,${sensor}-${n % 40},"21,7"`)
    else lines.push(`${at}Z,${sensor}-${n % 40},${(20 + Math.sin(n / 500) * 4).toFixed(2)}`)
  }
  return `${lines.join('\n')}\n`
}
