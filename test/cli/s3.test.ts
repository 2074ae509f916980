import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { s3Environment, useS3 } from '../../tooling/servers/s3.ts'
import { expectError, Folder, header, record, records } from './run.ts'

const s3 = useS3()

/** A bucket with objects, and the command line in a folder where its endpoint is the environment's. */
async function store(objects: Readonly<Record<string, string | Uint8Array>> = {}) {
  const bucket = await s3().bucket()
  for (const [key, body] of Object.entries(objects)) await s3().put(bucket, key, body)
  const folder = await Folder.make()
  const env = { ...s3Environment, AWS_ENDPOINT_URL_S3: s3().endpoint }
  return {
    bucket,
    folder,
    url: (key: string) => `s3://${bucket}/${key}`,
    lading: (...args: readonly string[]) => folder.run(args, { env }),
    start: (...args: readonly string[]) => folder.start(args, env),
    sources: () => folder.sql('SELECT source FROM lading_load ORDER BY source').map(({ source }) => source),
    calls: () => s3().calls.filter((call) => call.bucket === bucket),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

describe('an object of S3', () => {
  it('is loaded once, and by the same command not again', async () => {
    await using all = await store({ 'in/a.csv': records(20) })
    const first = await all.lading('load', all.url('in/a.csv'))
    expect(first.code, first.err).toBe(0)
    expect(all.folder.rows()).toBe(20)
    expect(all.sources()).toEqual(['a.csv'])
    const again = await all.lading('load', all.url('in/a.csv'))
    expect([again.code, all.folder.rows()]).toEqual([0, 20])
    expect(again.err).toContain('is loaded already')
    expect((await all.lading('verify')).code).toBe(0)
  })

  it('is one of a folder or a pattern, with what is compressed; what is not meant is left out', async () => {
    await using all = await store({
      'in/a.csv': records(5),
      'in/sub/b.csv.gz': gzipSync(header + record(5) + record(6)),
      'in/.hidden.csv': 'x\n1\n',
      'in/notes.txt': 'x',
      'in/c.ndjson': '{}',
      'in/d.csv.xz': 'x',
      'in/': '',
      'other/d.csv': header + record(7),
      'what? [1]+2%20 é.csv': header + record(8),
    })
    const folder = await all.lading('load', all.url('in/'))
    expect(folder.code, folder.err).toBe(0)
    expect(folder.err).toMatch(/hidden files are left out; name one to load it: s3:.*\/in\/\.hidden\.csv/)
    expect(folder.err).toMatch(/files of other formats are left out.*: s3:.*\/in\/c\.ndjson/)
    expect(folder.err).toMatch(/neither gzip nor zstd are left out.*: s3:.*\/in\/d\.csv\.xz/)
    expect([all.sources(), all.folder.rows()]).toEqual([['a.csv', 'sub/b.csv.gz'], 7])
    const pattern = await all.lading(
      'load',
      all.url('*/?.csv'),
      all.url('what? [1]+2%20 é.csv'),
      all.url('in'),
    )
    expect(pattern.code, pattern.err).toBe(0)
    expect(all.sources()).toEqual([
      'a.csv',
      'in/a.csv',
      'other/d.csv',
      'sub/b.csv.gz',
      'what? [1]+2%20 é.csv',
    ])
    expectError(await all.lading('load', all.url('none*')), 'SOURCE_MISSING', 66, /no object matches s3:/)
    expectError(
      await all.lading('load', all.url('in/none.csv')),
      'SOURCE_MISSING',
      66,
      /there is no object or folder s3:.*\/in\/none\.csv/,
    )
    expectError(await all.lading('load', 's3:///x'), 'USAGE', 64, /names no bucket/)
    expectError(await all.lading('load', all.url('a?endpoint=no')), 'USAGE', 64, /endpoint of an s3 URL/)
  })

  it('is inspected, rehearsed and read for its types as a file is', async () => {
    await using all = await store({ 'in/people.csv': 'id,name\n1,Ann\n2,Bob\n' })
    const inspect = await all.lading('inspect', all.url('in/people.csv'))
    expect(inspect.code, inspect.err).toBe(0)
    expect(inspect.out).toContain(all.url('in/people.csv'))
    const dry = await all.lading('load', all.url('in/people.csv'), '--dry-run')
    expect(dry.code, dry.err).toBe(0)
    const run = await all.lading('load', all.url('in/people.csv'))
    expect(run.code, run.err).toBe(0)
    expect(all.folder.sql('SELECT * FROM people')).toEqual([
      { id: 1, name: 'Ann' },
      { id: 2, name: 'Bob' },
    ])
    expect((await all.lading('verify')).code).toBe(0)
  })

  it('is loaded once into a table without a key, although the load is killed while it reads', async () => {
    const count = 20_000
    const lines = Array.from({ length: count }, (_, n) => `${n},note of ${n}\n`)
    await using all = await store({ 'numbers.csv': `id,note\n${lines.join('')}` })
    const words = [
      'load',
      all.url('numbers.csv'),
      '--chunk-bytes',
      '8192',
      '--queue',
      'embedded:q.db?lease=2',
    ]
    for (const kills of [3, 8, 20]) {
      const child = all.start(...words)
      const ended = once(child, 'close')
      let asked = 0
      s3().trouble = ({ bucket }) => {
        if (bucket === all.bucket && ++asked === kills) child.kill('SIGKILL')
        return undefined
      }
      await ended
      expect(child.signalCode).toBe('SIGKILL')
    }
    s3().trouble = () => undefined
    const run = await all.lading(...words)
    expect(run.code, run.err).toBe(0)
    expect(all.folder.sql('SELECT count(*) AS n, count(DISTINCT id) AS ids FROM numbers')).toEqual([
      { n: count, ids: count },
    ])
    expect((await all.lading('verify')).code).toBe(0)
  })

  it('is read by consumers below the URL of their root, and told by the doctor; a watch refuses it', async () => {
    await using all = await store({ 'in/a.csv': records(20) })
    const root = ['--root', all.url('in')]
    const produce = await all.lading('produce', all.url('in/*.csv'), '--carry', 'reference', ...root)
    expect(produce.code, produce.err).toBe(0)
    const consume = await all.lading('consume', '--until-empty', ...root)
    expect(consume.code, consume.err).toBe(0)
    expect(all.folder.rows()).toBe(20)
    const doctor = await all.lading('doctor', all.url('in/a.csv'))
    expect(doctor.out).toContain('the first 20 records fit table records')
    const watch = await all.lading('load', all.url('in/'), '--watch', '--table', 't')
    expectError(watch, 'USAGE', 64, /is no folder of this machine, which is what --watch watches/)
    expect(watch.err).not.toContain('watching')
  })

  it('is found by one listing of its bucket, with a model and without', async () => {
    await using all = await store({ 'in/a.csv': records(2), 'in/b.csv': header + record(3) })
    for (const words of [
      ['--table', 't'],
      ['--table', 'u', '--dry-run'],
      ['--model', 'records'],
    ]) {
      const before = all.calls().length
      const run = await all.lading('load', all.url('in/'), ...words)
      expect(run.code, run.err).toBe(0)
      const asked = all.calls().slice(before)
      expect(asked.filter(({ query }) => query.has('list-type'))).toHaveLength(1)
    }
  })
})
