/**
 * A RabbitMQ node in a temporary folder, its Erlang machine a child of this process. Everything that RabbitMQ
 * and Erlang share between the nodes of a machine is the node's own here: name, cookie, ports, configuration,
 * and epmd, the daemon in which nodes find each other.
 */
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, guardFolder, lastLines, spawnProgram } from './engine.ts'
import type { Engine } from './engine.ts'
import { makeFolder } from './machine.ts'
import type { User } from './machine.ts'
import { rabbitUser } from './rabbitmq-programs.ts'
import type { RabbitPrograms } from './rabbitmq-programs.ts'

export interface RabbitConfiguration {
  readonly settings: Readonly<Record<string, string>>
  readonly plugins: readonly string[]
}

export interface RabbitEngine extends Engine {
  /** The node's name, which no other node has. */
  readonly node: string
  /** Null where it is not in a folder of this machine. */
  readonly dataDirectory: string | null
  /** Runs rabbitmqctl against this node and returns what it prints. */
  ctl(args: readonly string[]): Promise<string>
  /** The value of an Erlang expression in this node. Rejects where it fails. */
  evaluate(expression: string): Promise<string>
}

export async function createNode(
  programs: RabbitPrograms,
  configuration: RabbitConfiguration,
): Promise<RabbitEngine> {
  const user = rabbitUser()
  const folder = makeFolder('lading-rabbitmq-', user)
  // The programs that the Erlang machine has started end with it: they read from its pipes.
  const keeper = guardFolder(folder)
  try {
    const node = `lading-${randomUUID()}@localhost`
    const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
    const dataDirectory = join(folder, 'data')
    const logFile = join(folder, 'log')
    const settings = { 'listeners.tcp.local': `127.0.0.1:${port}`, ...configuration.settings }
    writeFiles(folder, user, { settings, plugins: configuration.plugins })
    const env = environment({ folder, node, distributionPort, epmdPort })
    const epmd = await startEpmd(epmdPort, env, user)
    keeper.tell(String(epmd.pid))
    const program = { path: programs.server, args: [], env, user, logFile }
    return {
      port,
      node,
      dataDirectory,
      spawn: () =>
        spawnProgram(program, (pid) => keeper.tell(pid === null ? String(epmd.pid) : `${epmd.pid} ${pid}`)),
      ctl: (args) => runProgram(programs.ctl, args, { env, ...user }),
      evaluate: async (expression) => {
        const cookie = readFileSync(join(folder, cookieFile), 'utf8')
        const call = ['-name', node, '-c', cookie, '-e']
        return valueOf(await runProgram('erl_call', call, { env, ...user }, `${expression}\n`))
      },
      log: () => lastLines(logFile),
      remove: () => keeper.close(),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

/** The text of a rabbitmq.conf. */
export function settingsFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** The text of an enabled_plugins file: a list of Erlang atoms. */
export function pluginsFile(plugins: readonly string[]): string {
  return `[${plugins.join(',')}].\n`
}

/** Resolves to what the program prints; rejects with it where the program fails. */
export function runProgram(
  path: string,
  args: readonly string[],
  options: object = {},
  input = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      path,
      args,
      { encoding: 'utf8', cwd: '/', timeout: 60_000, ...options },
      (error, stdout, stderr) => {
        if (error)
          reject(new Error(`${path} ${args.join(' ')} failed: ${stdout}${stderr}`.trim() || error.message))
        else resolve(stdout)
      },
    )
    child.stdin?.end(input)
  })
}

/** Of what erl_call prints: `{ok, VALUE}` or `{error, REASON}`. */
function valueOf(answer: string): string {
  const value = /^\{ok, (.*)\}$/s.exec(answer.trim())?.[1]
  if (value === undefined) throw new Error(`the node refuses the expression: ${answer}`)
  return value
}

function writeFiles(folder: string, { uid, gid }: User, { settings, plugins }: RabbitConfiguration): void {
  const own = (path: string) => {
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
  }
  const texts = {
    'rabbitmq.conf': settingsFile(settings),
    plugins: pluginsFile(plugins),
    'advanced.config': '[].\n',
    'environment.conf': '',
    [cookieFile]: randomUUID(),
  }
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(folder, name), text, { mode: 0o400 })
    own(join(folder, name))
  }
  mkdirSync(join(folder, 'data'))
  own(join(folder, 'data'))
}

const cookieFile = '.erlang.cookie'

interface Place {
  readonly folder: string
  readonly node: string
  readonly distributionPort: number
  readonly epmdPort: number
}

/**
 * What the server and rabbitmqctl read. Everything is given, so that nothing comes from /etc/rabbitmq or the
 * user's home.
 */
function environment({ folder, node, distributionPort, epmdPort }: Place): NodeJS.ProcessEnv {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HOME: folder,
    HOSTNAME: 'localhost',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // Erlang would start an epmd where it finds none, and leave it running.
    ERL_FLAGS: '-start_epmd false',
    ERL_CRASH_DUMP_SECONDS: '0',
    // The script becomes the Erlang machine, instead of waiting for one in the background: its process id is
    // the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: node,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    RABBITMQ_CTL_ERL_ARGS: loopback,
    // Any free port: rabbitmqctl takes part in the distribution for as long as it runs.
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    RABBITMQ_LOGS: '-',
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'environment.conf'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: join(folder, 'conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
  }
}

async function startEpmd(
  port: number,
  env: NodeJS.ProcessEnv,
  user: User,
): Promise<{ readonly pid: number }> {
  const epmd = spawn('epmd', ['-port', String(port)], {
    stdio: 'ignore',
    detached: true,
    cwd: '/',
    env,
    ...user,
  })
  await once(epmd, 'spawn')
  epmd.unref()
  if (epmd.pid === undefined) throw new Error('epmd could not be started')
  return { pid: epmd.pid }
}
