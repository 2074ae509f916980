/** A run that hangs says so, and says when it goes on. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startWatched } from '../support/watched.ts'
import { query, Fixture } from '../support/fixture.ts'

const model = join(import.meta.dirname, '../support/model.ts')

describePostgres('a consumer whose database hangs', () => {
  it('turns /readyz red when nothing was committed for long, stays alive, and is green again by itself when the database goes on', async () => {
    await using fixture = await Fixture.open('postgres')
    const queue = await fixture.queue()
    await fixture.publish(queue, 100)
    const { url } = fixture.target
    // Sooner than a statement that hangs is given up, and written over another session.
    const args = ['consume', '--model', model, '--queue', fixture.queueUrl, '--to', url, '--stall-after', '5']
    const lading = await startWatched(...args)
    try {
      await expect.poll(() => lading.metric('lading_records_loaded_total'), { timeout: 20_000 }).toBe(100)
      expect(await lading.status('/readyz')).toBe(200)
      const sessions = await query<{ pid: number }>(
        url,
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'lading' AND datname = current_database()",
      )
      expect(sessions.length).toBeGreaterThan(0)
      for (const { pid } of sessions) process.kill(pid, 'SIGSTOP')
      try {
        await fixture.publish(queue, 100)
        await expect.poll(() => lading.status('/readyz'), { timeout: 30_000, interval: 200 }).toBe(503)
        // A consumer stopped between two batches, while it adds up the loads, has taken no message yet.
        const work = /^not ready: nothing was committed.*messages (in hand|waiting): [1-9]/
        expect(await (await fetch(`${lading.url}/readyz`)).text()).toMatch(work)
        expect(await lading.metric('lading_ready')).toBe(0)
        expect(await lading.status('/healthz')).toBe(200)
      } finally {
        for (const { pid } of sessions) process.kill(pid, 'SIGCONT')
      }
      await expect.poll(() => lading.status('/readyz'), { timeout: 20_000, interval: 50 }).toBe(200)
      await expect.poll(() => lading.metric('lading_records_loaded_total'), { timeout: 20_000 }).toBe(200)
      await fixture.expectAllOnce()
    } finally {
      lading.child.kill('SIGTERM')
      expect(await lading.ended).toBe(0)
    }
  })

  it('is red too before it has taken anything, as long as messages wait', async () => {
    await using fixture = await Fixture.open()
    await fixture.publish(await fixture.queue(), 10)
    // It takes connections and never says a word.
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const to = `postgresql://me@127.0.0.1:${(silent.address() as AddressInfo).port}/db`
    const lading = await startWatched(
      'consume',
      '--model',
      model,
      '--queue',
      fixture.queueUrl,
      '--to',
      to,
      '--stall-after',
      '1',
    )
    try {
      const reason = async () => (await fetch(`${lading.url}/readyz`)).text()
      // Nobody else asks for the depth: the watchdog does by itself.
      await expect
        .poll(reason, { timeout: 20_000, interval: 100 })
        .toMatch(/^not ready: .*messages waiting: 1/)
    } finally {
      lading.child.kill('SIGKILL')
      await lading.ended
      silent.close()
    }
  })

  it('idle for longer than that, it stays green', async () => {
    await using fixture = await Fixture.open('postgres')
    await fixture.queue()
    const args = [
      'consume',
      '--model',
      model,
      '--queue',
      fixture.queueUrl,
      '--to',
      fixture.target.url,
      '--stall-after',
      '0.01',
    ]
    const lading = await startWatched(...args)
    try {
      // The watchdog has asked the queue by itself, or these questions have.
      for (let n = 0; n < 5; n++)
        expect([
          await lading.metric('lading_queue_messages{state="ready"}'),
          await lading.status('/readyz'),
        ]).toEqual([0, 200])
    } finally {
      lading.child.kill('SIGTERM')
      expect(await lading.ended).toBe(0)
    }
  })
})
