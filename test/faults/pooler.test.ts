/** A pooler that lends sessions of the server for less time than a client is connected: a load stops, and says why. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { poolerCure, poolerError } from '../../src/driver/postgres/pooling.ts'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { applied, write } from '../contract/sink/target.ts'
import { named, Place } from '../doctor/findings.ts'
import { openPostgres } from '../sink/postgres-target.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
  onConflict: 'update',
})
const parts = (key: string) => [{ key, records: [['1', key]] }]

/** PgBouncer in front of the server of the URL; it does not run as root. */
async function startPgBouncer(
  url: string,
  mode: string,
  more = '',
): Promise<{ readonly url: string } & AsyncDisposable> {
  const target = new URL(url)
  const through = new URL(url)
  through.port = String(await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'lading-pgbouncer-'))
  chmodSync(folder, 0o755)
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]\n* = host=127.0.0.1 port=${target.port} user=${target.username}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${through.port}\nunix_socket_dir =\nauth_type = any\npool_mode = ${mode}\nignore_startup_parameters = extra_float_digits\n${more}`,
  )
  const pooler = spawn('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(pooler, 'exit')
  for await (const line of createInterface(pooler.stderr)) if (line.includes('process up')) break
  pooler.stderr.resume()
  return {
    url: through.href,
    [Symbol.asyncDispose]: async () => {
      pooler.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

async function saysDoctor(url: string) {
  using place = new Place()
  return named(await place.findings({ to: url }), 'pooler')
}

const isThere = spawnSync('pgbouncer', ['--version']).status === 0

describePostgres('a pooler before PostgreSQL', () => {
  const describeReal = isThere ? describe : describe.skip
  describeReal(`PgBouncer${isThere ? '' : ' (SKIPPED: no pgbouncer)'}`, () => {
    it('in statement mode: a load stops at once', async () => {
      await using target = await openPostgres()
      await using pooler = await startPgBouncer(target.url, 'statement')
      await using sink = new PostgresSink(pooler.url)
      await expect(sink.prepare(model)).rejects.toMatchObject({
        code: 'SINK_REFUSED',
        message: expect.stringMatching(
          /refuses transactions \(pool_mode = statement\).*; pool_mode = session/,
        ),
      })
      expect(await saysDoctor(pooler.url)).toMatchObject([
        { level: 'fail', detail: expect.stringContaining('(pool_mode = statement)'), cure: poolerCure },
      ])
    })

    it('in transaction mode: a load that meets the staging table of another stops and says why', async () => {
      await using target = await openPostgres()
      await using pooler = await startPgBouncer(target.url, 'transaction')
      {
        await using first = new PostgresSink(pooler.url)
        await first.prepare(model)
      }
      await using second = new PostgresSink(pooler.url)
      await expect(second.prepare(model)).rejects.toMatchObject({
        code: 'SINK_REFUSED',
        message: expect.stringMatching(
          /for one transaction \(pool_mode = transaction\).*; pool_mode = session/,
        ),
      })
      expect(await saysDoctor(pooler.url)).toMatchObject([
        { level: 'fail', detail: expect.stringContaining('(pool_mode = transaction)'), cure: poolerCure },
      ])
    })

    it('in transaction mode with sessions in turn: that it lends them shows to the doctor all the same', async () => {
      await using target = await openPostgres()
      await using pooler = await startPgBouncer(target.url, 'transaction', 'server_round_robin = 1\n')
      const others = [1, 2, 3].map(() => new pg.Client(pooler.url))
      for (const other of others) {
        await other.connect()
        await other.query('BEGIN')
      }
      for (const other of others) {
        await other.query('COMMIT')
        await other.end()
      }
      expect(await saysDoctor(pooler.url)).toMatchObject([{ level: 'fail' }])
    })

    it('in session mode: one load after the other is written', async () => {
      await using target = await openPostgres()
      await using pooler = await startPgBouncer(target.url, 'session')
      for (const key of ['a', 'b', 'c']) {
        await using sink = new PostgresSink(pooler.url)
        await sink.prepare(model)
        expect(await write(sink, model, parts(key))).toEqual([applied(1)])
      }
      expect(await target.query('SELECT note FROM items')).toEqual([{ note: 'c' }])
      expect(await saysDoctor(pooler.url)).toMatchObject([{ level: 'note' }])
    })
  })
})

const stagingName = 'lading_staging_0123456789abcdef'
const staging = `relation "${stagingName}" already exists`
const statement = 'transaction blocks not allowed in statement pooling mode'

/** As the driver makes it of what the server says; errors of PgBouncer name no routine. */
const errorOf = (code: string, message: string, routine?: string) =>
  Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, severity: 'ERROR', routine })

describe('an error is that of a pooler', () => {
  it.for([
    ['statement mode', errorOf('08P01', statement), true],
    ['a protocol violation of the server', errorOf('08P01', statement, 'ProcessStartupPacket'), false],
    ['another of PgBouncer', errorOf('08P01', 'query_wait_timeout'), false],
    ['a staging table that is there already', errorOf('42P07', staging, 'heap_create_with_catalog'), true],
    [
      'a staging table that is gone',
      errorOf('42P01', 'relation "pg_temp.lading_staging_01" does not exist'),
      true,
    ],
    [
      'a staging table that may not be used',
      errorOf('42501', `permission denied for table ${stagingName}`),
      false,
    ],
    ['a table that is there already', errorOf('42P07', 'relation "a" already exists'), false],
  ] as const)('%s: %s', ([, error, isPoolers]) => {
    expect(poolerError(error, true)?.code).toBe(isPoolers ? 'SINK_REFUSED' : undefined)
  })

  it('and a staging table says nothing of one where the server itself has answered', () => {
    expect(poolerError(errorOf('42P07', staging, 'heap_create_with_catalog'), false)).toBeUndefined()
  })
})
