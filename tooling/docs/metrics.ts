import { makeMetrics } from '../../src/observe/metrics.ts'
import { Observer } from '../../src/observe/observer.ts'
import { code, page, type Page, table } from './page.ts'

const about = { version: '', pid: 0, command: 'consume', queue: '', startedAt: 0 }

export const metrics: Page = {
  name: 'metrics.md',
  render: () => {
    const all = makeMetrics(about, new Observer(about, { consumes: true, stallAfterMs: 1 })).about
    return page(
      'Metrics',
      `\`/metrics\` of a run with \`--http\` ([observability](../observability.md)). Counters begin at 0 with each run. A gauge with
an unknown value is missing, not 0.`,
      table(
        ['metric', 'type', 'labels', 'meaning'],
        all.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
      ),
    )
  },
}
