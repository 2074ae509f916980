/**
 * Where the programs of a private MariaDB come from, and the user they run as. Never starts, stops or changes
 * a server.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lastLine, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import type { User } from './machine.ts'
import { installPrograms } from './packages.ts'

export interface MariadbPrograms {
  readonly server: string
  readonly install: string
}

export function mariadbUser(): User {
  return serverUser('mysql')
}

/** `folder` has both programs, or `bin` and `sbin` as Debian's /usr has them. */
export function mariadbFromFolder(folder: string): MariadbPrograms {
  const find = (name: string) =>
    [folder, join(folder, 'sbin'), join(folder, 'bin')].map((path) => join(path, name)).find(existsSync)
  const [server, install] = [find('mariadbd'), find('mariadb-install-db')]
  if (server === undefined || install === undefined)
    throw new Unavailable(`no mariadbd and mariadb-install-db in ${folder}`)
  const { error, status, stderr } = run(server, ['--no-defaults', '--version'], mariadbUser())
  if (error || status !== 0)
    throw new Unavailable(`${server} --version failed: ${error?.message ?? lastLine(stderr)}`)
  return { server, install }
}

export function mariadbFromMachine(): MariadbPrograms {
  const folders = ['/usr', ...pathFolders()]
  for (const folder of folders) {
    try {
      return mariadbFromFolder(folder)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }
  throw new Unavailable('no mariadbd and mariadb-install-db in /usr or on PATH')
}

/** Installs Debian's package as root, without starting the server that Debian would start. */
export async function mariadbFromApt(): Promise<MariadbPrograms> {
  await installPrograms('mariadb-server')
  return mariadbFromMachine()
}
