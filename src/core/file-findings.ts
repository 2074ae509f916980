/** What is found of a database's file before it is opened for work: that of a sink, or of a queue. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { diskOf, sizeText } from './disk.ts'
import { type Finding, findingsAbout, type Subject } from './finding.ts'
import { quoted } from './shell.ts'
import { SqliteFile, sqliteCode, sqliteCodes } from './sqlite.ts'

const littleSpace = 512 * 1024 ** 2

/** Whether the file, or the folder that it would be made in, can be written, and what its disk is. */
export function* fileFindings(about: Subject, path: string): Generator<Finding> {
  const { ok, note, warn, fail } = findingsAbout(about)
  const full = resolve(path)
  let folder = dirname(full)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  if (!statSync(folder).isDirectory()) {
    yield fail('file', `${folder} is a file, and no folder`, 'name a file that is not below another')
    return
  }
  const refused = [existsSync(full) ? full : folder, folder].find((each) => !isWritable(each))
  if (refused !== undefined) {
    yield fail(
      'file',
      `${refused} cannot be written by this user`,
      `chmod u+rw${refused === folder ? 'x' : ''} ${quoted(refused)}`,
    )
    return
  }
  yield ok('file', `${path} ${existsSync(full) ? 'can be written' : 'is not there yet, and can be made'}`)
  const { network, isFuse, free } = diskOf(folder)
  // v8 ignore start -- no disk of a network is here, nor the right to mount one
  if (network !== undefined)
    yield fail(
      'disk',
      `${folder} is a network file system (${network}): its locks do not keep two machines apart, and what one of them writes the other may see late`,
      'name a file on a disk of this machine',
    )
  else if (isFuse)
    yield warn(
      'disk',
      `${folder} is a FUSE file system, which may be a network's: then its locks cannot be relied on`,
      'name a file on a disk of this machine',
    )
  // v8 ignore stop
  if (free !== undefined && free < littleSpace)
    yield warn('space', `only ${sizeText(free)} are free in ${folder}`, `df -h ${quoted(folder)}`)
  else if (free !== undefined) yield note('space', `${sizeText(free)} are free in ${folder}`)
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

const lockWaitMs = 500

/** Whether another process holds the lock of writers for long. */
export function* lockFindings(about: Subject, path: string): Generator<Finding> {
  const { ok, warn } = findingsAbout(about)
  using file = new SqliteFile(path, { isGuest: true, busyMs: lockWaitMs })
  try {
    file.exec('BEGIN IMMEDIATE')
    file.exec('ROLLBACK')
    yield ok('lock', 'no other process holds it')
  } catch (error) {
    const code = sqliteCode(error)?.primary
    // v8 ignore next -- what is no database, or cannot be written, was found before
    if (code !== sqliteCodes.busy && code !== sqliteCodes.locked) throw error
    yield warn(
      'lock',
      'another process has been writing for half a second: a load waits until it is done',
      `fuser -v ${quoted(path)}`,
    )
  }
}
