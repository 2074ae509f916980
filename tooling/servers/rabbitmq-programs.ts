/**
 * Where the programs of a private RabbitMQ come from, and the user they run as. Never starts, stops or
 * changes a broker.
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { lastLine, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import type { User } from './machine.ts'
import { installPrograms } from './packages.ts'

export interface RabbitPrograms {
  readonly server: string
  readonly ctl: string
}

export function rabbitUser(): User {
  return serverUser('rabbitmq')
}

export function rabbitFromFolder(folder: string): RabbitPrograms {
  const link = join(folder, 'rabbitmq-server')
  if (!existsSync(link)) throw new Unavailable(`no ${link}`)
  // Debian's /usr/sbin has a wrapper that runs the system's broker as the system's user; what it wraps lies
  // beside its real file.
  const programs = dirname(realpathSync(link))
  const found = { server: join(programs, 'rabbitmq-server'), ctl: join(programs, 'rabbitmqctl') }
  const reason = obstacle(found)
  if (reason) throw new Unavailable(reason)
  return found
}

export function rabbitFromMachine(): RabbitPrograms {
  const folders = ['/usr/lib/rabbitmq/bin', '/usr/sbin', ...pathFolders()]
  const folder = folders.find(
    (path) => existsSync(join(path, 'rabbitmq-server')) && existsSync(join(path, 'rabbitmqctl')),
  )
  if (!folder)
    throw new Unavailable('no rabbitmq-server and rabbitmqctl in /usr/lib/rabbitmq/bin, /usr/sbin or on PATH')
  return rabbitFromFolder(folder)
}

/** Installs Debian's package as root, without starting the broker that Debian would start. */
export async function rabbitFromApt(): Promise<RabbitPrograms> {
  await installPrograms('rabbitmq-server')
  return rabbitFromMachine()
}

/** Why the server's user cannot run these, or null. They need an Erlang, and its epmd, on PATH. */
function obstacle({ server, ctl }: RabbitPrograms): string | null {
  const options = { env: { PATH: process.env['PATH'] }, ...rabbitUser() }
  for (const script of [server, ctl]) {
    if (run('test', ['-x', script], options).status !== 0) return `${script} cannot be executed`
  }
  const { error, status, stderr } = run('erl', ['+V'], options)
  if (error) return error.message
  if (status !== 0) return `erl +V failed: ${lastLine(stderr)}`
  return run('epmd', ['-help'], options).error?.message ?? null
}
