/** Where the program of a private NATS server comes from. Never starts, stops or changes a server. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lastLine, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import type { User } from './machine.ts'
import { installPrograms } from './packages.ts'

export const natsUser = (): User => serverUser('nats')

export function natsFromFolder(folder: string): string {
  const program = join(folder, 'nats-server')
  if (!existsSync(program)) throw new Unavailable(`no ${program}`)
  const { error, status, stderr } = run(program, ['--version'], natsUser())
  if (error) throw new Unavailable(error.message)
  if (status !== 0) throw new Unavailable(`${program} --version failed: ${lastLine(stderr)}`)
  return program
}

export function natsFromMachine(): string {
  const folders = ['/usr/sbin', ...pathFolders()]
  const folder = folders.find((path) => existsSync(join(path, 'nats-server')))
  if (!folder) throw new Unavailable('no nats-server in /usr/sbin or on PATH')
  return natsFromFolder(folder)
}

/** Installs Debian's package as root, without starting the server that Debian would start. */
export async function natsFromApt(): Promise<string> {
  await installPrograms('nats-server')
  return natsFromMachine()
}
