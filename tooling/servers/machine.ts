/**
 * What a test server needs of the machine: a user that is not root, a folder that this user reaches, packages
 * of the system. Never starts, stops or changes a server.
 */
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A way of having a server that is not open on this machine; the message is the reason, on one line. */
export class Unavailable extends Error {}

/** Empty where the server keeps our own user. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

/**
 * A server that runs as root could change anything, and PostgreSQL refuses to: root lends it another user,
 * anybody else keeps their own.
 */
export function serverUser(...names: readonly string[]): User {
  if (process.getuid?.() !== 0) return {}
  for (const name of [...names, 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(run('id', [flag, name]).stdout, 10))
    if (uid && gid) return { uid, gid }
  }
  throw new Unavailable(`root has neither a user ${names.join(', ')} nor nobody to run it as`)
}

/** A new folder that the user owns and can reach: $TMPDIR may lie in a home that is closed to others. */
export function makeFolder(prefix: string, { uid, gid }: User): string {
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const folder = realpathSync(mkdtempSync(join(parent, prefix)))
    if (uid === undefined || gid === undefined) return folder
    chownSync(folder, uid, gid)
    if (run('test', ['-w', folder], { uid, gid }).status === 0) return folder
    run('rmdir', [folder])
  }
  throw new Unavailable("no temporary folder that the server's user can reach")
}

const aptGet = '/usr/bin/apt-get'

/** Throws where packages cannot be installed here. */
export function requireApt(): void {
  if (process.getuid?.() !== 0) throw new Unavailable('not root')
  if (!existsSync(aptGet)) throw new Unavailable('no apt-get')
}

export function installPackage(name: string): void {
  process.stderr.write(`The tests need a server: apt-get install ${name}\n`)
  apt('update')
  apt('install', '--yes', '--no-install-recommends', name)
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1' }
  // Another test may be installing: apt-get would not wait for the lists.
  const lock = join(tmpdir(), 'lading-apt.lock')
  const result = run('flock', [lock, aptGet, '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env,
    timeout: 600_000,
  })
  if (result.status !== 0)
    throw new Unavailable(`apt-get ${args[0]} failed: ${result.error?.message ?? lastLine(result.stderr)}`)
}

export function run(program: string, args: readonly string[], options: object = {}) {
  return spawnSync(program, args, { encoding: 'utf8', cwd: '/', timeout: 60_000, ...options })
}

/** Where programs are looked for. */
export const pathFolders = (): readonly string[] => (process.env['PATH'] ?? '').split(delimiter)

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
