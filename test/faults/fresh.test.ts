/** Loading from scratch while another command loads the same file. */
import { describe, expect, it } from 'vitest'
import { load } from '../../src/load/load.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Fixture } from '../support/fixture.ts'
import { wrapSink } from '../support/wrappers.ts'

function conformance(target: 'sqlite' | 'postgres'): void {
  it('what another command has loaded since this one found the table empty is not forgotten, and is there once', async () => {
    await using fixture = await Fixture.open(target)
    const path = await fixture.file(50)
    const loadFresh = async (sink: Sink) => {
      await using queue = await openQueue(fixture.queueUrl)
      return await load({ ...fixture.producing(queue, [path]), sink, fresh: true })
    }
    const sink = await fixture.sink()
    const isEmpty: Sink['isEmpty'] = async (...args) => {
      const answer = await sink.isEmpty(...args)
      await using other = await openSink(fixture.target.url)
      await loadFresh(other)
      return answer
    }
    await expect(loadFresh(wrapSink(sink, (_, real) => real(), { isEmpty }))).rejects.toMatchObject({
      code: 'TABLE_NOT_EMPTY',
    })
    await fixture.expectAllOnce()
    // A table that was emptied since is no obstacle.
    await fixture.target.execute('DELETE FROM numbers')
    expect((await loadFresh(sink)).loadedNow).toBe(50)
    await fixture.expectAllOnce()
  })
}

describe('SQLite', () => conformance('sqlite'))
describePostgres('PostgreSQL', () => conformance('postgres'))
