/** What of this machine matters to a load. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { type Finding, findingsAbout } from '../core/finding.ts'
import { zoneRelease } from '../model/zones.ts'
import { defaultStatePath } from '../producer/options.ts'

const { ok, note, warn, fail } = findingsAbout('machine')

const mib = 1024 ** 2
const gib = 1024 ** 3
/** What a process of a load has at most, with some room (docs/benchmarks.md). */
const bytesPerProcess = 256 * mib
/** Of files: sessions, the queue, the sources that are open at a time. */
const enoughFiles = 256
const littleSpace = 512 * mib

export function* examineMachine(statePath = defaultStatePath, consumers = 1): Generator<Finding> {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isSupported = major >= 24 || (major === 22 && minor >= 18)
  yield isSupported
    ? ok('Node', `${node}, time-zone data ${zoneRelease}`)
    : fail('Node', `${node}: Lading needs 22.18 or a later 22, or 24 or newer`, 'nvm install 24')
  const cores = availableParallelism()
  yield ok('cores', `${cores}: a load would have ${consumers} consumer${consumers === 1 ? '' : 's'}`)
  yield memory(consumers)
  const files = openFiles()
  if (files !== undefined && files < enoughFiles)
    yield warn(
      'open files',
      `a process may have ${files} open at a time, which a load may exceed`,
      'ulimit -n 4096',
    )
  yield folder(dirname(resolve(statePath)))
}

function memory(consumers: number): Finding {
  const limit = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())
  const isConstrained = limit < totalmem()
  const needed = bytesPerProcess * (1 + consumers)
  const told = `${(limit / gib).toFixed(1)} GiB${isConstrained ? ' (limit of the container)' : ''}`
  return limit >= needed
    ? ok('memory', told)
    : warn(
        'memory',
        `${told}: a load with ${consumers} consumers may need ${Math.round(needed / mib)} MiB`,
        'lading load … --consumers 1',
      )
}

function openFiles(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return found === undefined ? undefined : Number(found)
  } catch {
    // v8 ignore next -- only Linux has the file
    return undefined
  }
}

/** Where the producer keeps its state, which need not be there yet. */
function folder(wanted: string): Finding {
  let path = wanted
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch {
    return fail(
      'state',
      `the folder of the producer's state, ${wanted}, cannot be written`,
      'lading load … --state FILE',
    )
  }
  const { bavail, bsize, blocks } = statfsSync(path)
  const free = bavail * bsize
  if (blocks === 0 || free >= littleSpace)
    return ok('state', `${path} can be written, ${(free / gib).toFixed(1)} GiB are free`)
  return note('state', `${path} can be written, and only ${Math.round(free / mib)} MiB are free`)
}
