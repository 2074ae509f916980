/** The papers of the metrics, held against the metrics that there are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeMetrics } from '../../src/observe/metrics.ts'
import { Observer } from '../../src/observe/observer.ts'
import { root } from './sources.ts'

const about = { version: '1', pid: 1, command: 'consume', queue: 'q', startedAt: 0 }
const names = makeMetrics(about, new Observer(about, { consumes: true, stallAfterMs: 1 })).about.map(
  ({ name }) => name,
)
const read = (path: string) => readFileSync(join(root, path), 'utf8')

it('names of metrics keep to the conventions of Prometheus', () => {
  for (const name of names) expect(name).toMatch(/^(lading|process)_[a-z]+(_[a-z]+)*$/)
  expect(names.filter((name) => /_(ms|millis|milliseconds|kb|mb|mib)(_|$)/.test(name))).toEqual([])
})

describe.each(['deploy/grafana/dashboard.json', 'deploy/grafana/alerts.yml'])('%s', (path) => {
  it('asks for no metric that is not there', () => {
    const asked = new Set(read(path).match(/\b(lading|process)_[a-z_]+\b(?=[{[])/g))
    expect(asked.size).toBeGreaterThan(5)
    const series = names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`])
    expect([...asked].filter((name) => !series.includes(name))).toEqual([])
  })
})
