/** What `lading doctor` finds of an embedded queue. */
import { existsSync, statSync } from 'node:fs'
import { sizeText } from '../../core/disk.ts'
import { fileFindings, lockFindings } from '../../core/file-findings.ts'
import { count } from '../../core/counted.ts'
import { checked, failure, type Finding, findingsAbout } from '../../core/finding.ts'
import { SqliteFile } from '../../core/sqlite.ts'
import type { QueueQuestions } from '../examination.ts'
import { parseEmbedded } from './address.ts'
import { queueError } from './errors.ts'
import { applicationId, isWaiting, schema } from './schema.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

/** Shorter ones end while a batch is written. */
const shortLeaseMs = 10_000

export async function* examine(url: string, { create }: QueueQuestions): AsyncGenerator<Finding> {
  const { path, leaseMs } = parseEmbedded(url.slice(url.indexOf(':') + 1))
  const found = [...fileFindings('queue', path)]
  yield* found
  if (leaseMs !== undefined && leaseMs < shortLeaseMs)
    yield warn(
      'lease',
      `a consumer that is silent for ${leaseMs / 1000} s loses its messages, which a slow batch may be`,
      'leave lease out of the URL (30 s)',
    )
  if (found.some(({ level }) => level === 'fail')) return
  if (!existsSync(path)) {
    yield create
      ? note('queue', 'there is none yet: the first load makes it')
      : fail('queue', `QUEUE_MISSING: there is no queue ${path}`, 'leave --no-create away')
    return
  }
  yield* await checked('queue', 'queue', (add) => {
    try {
      add(...contents(path), ...lockFindings('queue', path))
    } catch (error) {
      add(failure('queue', 'queue', queueError(error, path)))
    }
  })
}

function* contents(path: string): Generator<Finding> {
  using file = new SqliteFile(path, { isGuest: true })
  const pragma = (name: string) =>
    Object.values(file.get<Record<string, number | string>>(`PRAGMA ${name}`) ?? {})[0]
  const isOurs = pragma('application_id') === applicationId
  if (!isOurs && statSync(path).size > 0) {
    yield fail('queue', `${path} is a database of another program, and no queue`, 'name another file')
    return
  }
  const version = Number(pragma('user_version'))
  if (version > schema.length) {
    yield fail(
      'queue',
      `it was made by a newer Lading (version ${version}, this one knows ${schema.length})`,
      'npm install lading@latest',
    )
    return
  }
  const {
    ready = 0,
    held = 0,
    bytes = 0,
  } = version === 0
    ? {}
    : (file.get<{ ready: number; held: number; bytes: number }>(
        `SELECT count(*) FILTER (WHERE lease IS NULL OR NOT ${isWaiting}) AS ready, count(*) FILTER (WHERE lease IS NOT NULL AND ${isWaiting}) AS held,
             coalesce(sum(bytes), 0) AS bytes FROM message WHERE dead = 0`,
        { now: Date.now() },
      ) ?? {})
  const depth = `${count(ready)} messages wait and ${count(held)} are with consumers, ${sizeText(bytes)}`
  yield ready + held === 0
    ? ok('queue', `it is empty (file of ${sizeText(statSync(path).size)})`)
    : note('queue', `${depth}: a load takes its own alone, a consumer all of them`, 'lading status')
  yield ok(
    'durability',
    'what is published waits for the disk (synchronous FULL); leases and settlements do not, which costs a second delivery at most',
  )
}
