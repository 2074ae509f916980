/** What Prometheus sees of a load that is running, and what the rules for its alerts make of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { startWatched } from '../support/watched.ts'
import { Fixture } from '../support/fixture.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { keyedNumbers } from './keyed-numbers.ts'
import {
  missingPrometheus,
  type Prometheus,
  promtool,
  startPrometheus,
} from '../../tooling/servers/prometheus.ts'
import { root } from '../structure/sources.ts'

const rules = join(root, 'deploy/grafana/alerts.yml')
const model = join(import.meta.dirname, 'keyed-numbers.ts')

const missing = await missingPrometheus()

describe.skipIf(missing !== undefined)('the alert rules', () => {
  it('are what promtool takes for rules', async () => {
    expect(await promtool('check', 'rules', rules)).toMatch(/SUCCESS: 10 rules found/)
  })

  it('are quiet while all is well, and say what is not', async () => {
    expect(await promtool('test', 'rules', join(import.meta.dirname, 'alerts-test.yml'))).toMatch(/SUCCESS/)
  })
})

describe.skipIf(missing !== undefined)('Prometheus', () => {
  describePostgres('at a load that runs', () => {
    it('reads what two consumer processes did, sees one hang, and evaluates every rule and every expression of the dashboard', async () => {
      await using fixture = await Fixture.open('postgres')
      const { url } = fixture.target
      const files = [await fixture.file(1_000), await fixture.file(1_000)]
      await (await fixture.sink()).prepare(keyedNumbers)
      // Another session holds the key of the last record, so that the load can end only when that lets go.
      const other = new pg.Client(url)
      await other.connect()
      await other.query("BEGIN; INSERT INTO numbers VALUES (2000, 'theirs')")
      const places = [
        '--model',
        model,
        '--queue',
        fixture.queueUrl,
        '--to',
        url,
        '--state',
        join(fixture.folder, 'producer.db'),
      ]
      const flags = [
        '--consumers',
        '2',
        '--batch-messages',
        '1',
        '--chunk-bytes',
        '4000',
        '--stall-after',
        '1',
      ]
      const lading = await startWatched('load', ...files, ...places, ...flags)
      try {
        await using prometheus = await startPrometheus({
          jobs: { lading: new URL(lading.url).host },
          rules: [rules],
        })
        await expectSeen(prometheus)
      } finally {
        await other.query('ROLLBACK')
        await other.end()
      }
      expect(await lading.ended, lading.output()).toBe(0)
      await expect(fetch(lading.url)).rejects.toThrow('fetch failed')
      await fixture.expectAllOnce()
    })
  })
})

async function expectSeen(prometheus: Prometheus): Promise<void> {
  const poll = (expression: string) =>
    expect.poll(async () => (await prometheus.query(expression))[0]?.value, {
      timeout: 30_000,
      interval: 100,
      message: expression,
    })
  await poll('lading_records_published_total').toBe(2_000)
  await poll('lading_ready').toBe(0)
  await poll('lading_messages_in_hand').toBeGreaterThan(0)
  // Everything but the last chunk, and what lies behind it in the same consumer's hands.
  await poll('lading_records_loaded_total > 1000 < 2000').toBeDefined()
  await poll('lading_batch_write_seconds_count').toBeGreaterThan(5)
  await poll('lading_queue_messages{state="in_flight"}').toBeGreaterThan(0)
  await poll('lading_queue_oldest_age_seconds').toBeGreaterThan(0)
  await poll('process_resident_memory_bytes').toBeGreaterThan(1e6)
  await poll('lading_info{command="load"}').toBe(1)
  await poll('ALERTS{alertname="LadingStalled", alertstate="pending"}').toBe(1)
  const evaluated = await prometheus.rules()
  expect(evaluated.filter(({ health }) => health !== 'ok')).toEqual([])
  expect(evaluated).toHaveLength(10)
  for (const expression of dashboardExpressions()) await prometheus.query(expression)
}

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
}

/** With what Grafana would put in the place of its variables. */
function dashboardExpressions(): string[] {
  const values: Readonly<Record<string, string>> = { job: '.*', instance: '.*', __rate_interval: '1m' }
  const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/dashboard.json'), 'utf8')) as Dashboard
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  return expressions.map((expr) => expr.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? ''))
}
