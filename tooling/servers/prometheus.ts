/**
 * A private Prometheus for tests: started here, removed here, and gone even when this process is killed. It
 * scrapes what it is told to, by the project's own rules, and keeps what it has seen in a temporary folder.
 */
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Engine, freePort, guardFolder, lastLines, openFirst, spawnProgram } from './engine.ts'
import { lastLine, makeFolder, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import { installPrograms } from './packages.ts'
import { PrivateServer } from './server.ts'

export interface PrometheusOptions {
  /** HOST:PORT of what is scraped, twice a second, under the name of a job. */
  readonly jobs: Readonly<Record<string, string>>
  /** Files of alert rules. */
  readonly rules: readonly string[]
  /** Sent to every target. */
  readonly token?: string
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Prometheus extends AsyncDisposable {
  readonly url: string
  readonly version: string
  /** What an expression of PromQL says now. Throws where it is none. */
  query(expression: string): Promise<readonly Sample[]>
  /** The rules as they were evaluated last. */
  rules(): Promise<readonly { readonly name: string; readonly health: string; readonly state: string }[]>
  log(): string
}

interface Programs {
  readonly prometheus: string
  readonly promtool: string
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const server = new Server(await createEngine(await programs(), options))
  await server.start()
  return server
}

/** Runs promtool, and returns what it prints. Throws with that where it finds a fault. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = run((await programs()).promtool, args)
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** Why there is none here, said loudly, for a test that has to be skipped; in CI nothing is skipped. */
export async function missingPrometheus(): Promise<string | undefined> {
  try {
    await programs()
    return undefined
  } catch (error) {
    if (process.env['CI'] || !(error instanceof Unavailable)) throw error
    process.stderr.write(`\nTESTS THAT NEED PROMETHEUS ARE SKIPPED: ${error.message.toUpperCase()}\n\n`)
    return error.message
  }
}

let found: Promise<Programs> | undefined

const programs = (): Promise<Programs> =>
  (found ??= openFirst('Prometheus', [
    { name: "the machine's own", open: async () => fromMachine() },
    {
      name: 'apt-get install',
      open: async () => {
        await installPrograms('prometheus')
        return fromMachine()
      },
    },
  ]))

function fromMachine(): Programs {
  const folders = ['/usr/bin', ...pathFolders()]
  const folder = folders.find(
    (path) => existsSync(join(path, 'prometheus')) && existsSync(join(path, 'promtool')),
  )
  if (!folder) throw new Unavailable('no prometheus and promtool in /usr/bin or on PATH')
  const both = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') }
  const { error, status, stderr } = run(both.prometheus, ['--version'])
  if (error || status !== 0) throw new Unavailable(error?.message ?? lastLine(stderr))
  return both
}

async function createEngine({ prometheus }: Programs, options: PrometheusOptions): Promise<Engine> {
  const user = serverUser('prometheus')
  const folder = makeFolder('lading-prometheus-', user)
  const keeper = guardFolder(folder)
  const port = await freePort()
  const [config, data, logFile] = [join(folder, 'prometheus.yml'), join(folder, 'data'), join(folder, 'log')]
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(configuration(options)))
  mkdirSync(data)
  if (user.uid !== undefined && user.gid !== undefined)
    for (const path of [config, data]) chownSync(path, user.uid, user.gid)
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const env = { PATH: process.env['PATH'], HOME: folder, TZ: 'UTC' }
  return {
    port,
    spawn: () =>
      spawnProgram({ path: prometheus, args, env, user, logFile }, (pid) =>
        keeper.tell(pid === null ? '' : String(pid)),
      ),
    log: () => lastLines(logFile),
    remove: () => keeper.close(),
  }
}

const configuration = ({ jobs, rules, token }: PrometheusOptions) => ({
  global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
  rule_files: rules,
  scrape_configs: Object.entries(jobs).map(([name, target]) => ({
    job_name: name,
    static_configs: [{ targets: [target] }],
    ...(token === undefined ? {} : { authorization: { credentials: token } }),
  })),
})

class Server extends PrivateServer implements Prometheus {
  readonly url: string
  protected readonly product = 'Prometheus'

  constructor(engine: Engine) {
    super(engine)
    this.url = `http://127.0.0.1:${engine.port}`
  }

  async query(expression: string): Promise<readonly Sample[]> {
    const { result } = await this.#get<Result>(`query?query=${encodeURIComponent(expression)}`)
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  async rules() {
    const { groups } = await this.#get<{
      groups: { rules: { name: string; health: string; state: string }[] }[]
    }>('rules')
    return groups.flatMap(({ rules }) => rules)
  }

  protected override async identify(): Promise<string> {
    const ready = await fetch(`${this.url}/-/ready`)
    await ready.arrayBuffer()
    if (!ready.ok) throw new Error(`it answers ${ready.status}`)
    return (await this.#get<{ version: string }>('status/buildinfo')).version
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`)
    const answer = (await response.json()) as { status: string; error?: string; data: T }
    if (answer.status !== 'success') throw new Error(`Prometheus: ${path}: ${answer.error}`)
    return answer.data
  }
}

interface Result {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>
    readonly value: readonly [number, string]
  }[]
}
