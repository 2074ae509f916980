/**
 * Runs one command of `lading` after the other, as if each had a process of its own (test/support/runner.ts): with its
 * folder, its environment, its output, and a copy of the modules of the command line, which hold the state of a run. All
 * below them, which no run changes, is loaded once: that is most of what a start costs.
 */
import { globSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Answer, Command } from '../runner.ts'

const bin = process.argv[2] as string
const entry = pathToFileURL(bin).href
const dist = new URL('../dist/', entry).href

/** The modules of the command line, and whatever imports one of them. */
function statefulModules(): ReadonlySet<string> {
  const imports = new Map(
    globSync('**/*.js', { cwd: fileURLToPath(dist) }).map((path) => {
      const { href } = new URL(path, dist)
      const names = readFileSync(new URL(href), 'utf8').matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+)"/g)
      return [href, [...names].map(([, name]) => new URL(name as string, href).href)]
    }),
  )
  const found = new Set([new URL('cli/main.js', dist).href])
  for (let size = 0; size < found.size;) {
    size = found.size
    for (const [href, names] of imports) if (names.some((name) => found.has(name))) found.add(href)
  }
  return found
}

const stateful = statefulModules()
let run = 0
/** Modules of the user's that this run has loaded. */
let modules: string[] = []
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const { url } = resolved
    if (stateful.has(url)) return run === 1 ? resolved : { ...resolved, url: `${url}?run=${run}` }
    const isOwn = url.startsWith(dist) || url.startsWith(entry) || url.includes('/node_modules/')
    if (url.startsWith('file:') && !isOwn) modules.push(fileURLToPath(url))
    return resolved
  },
})

const emitWarning = process.emitWarning.bind(process)
const emitters: readonly NodeJS.EventEmitter[] = [process, process.stdout, process.stderr]
const listeners = () =>
  emitters.map((emitter) => new Map(emitter.eventNames().map((name) => [name, emitter.rawListeners(name)])))

async function execute({ args, cwd, env }: Command): Promise<Answer> {
  run++
  modules = []
  const active = process.getActiveResourcesInfo().length
  const before = listeners()
  process.chdir(cwd)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.argv = [process.execPath, bin, ...args]
  await import(run === 1 ? entry : `${entry}?run=${run}`)
  // A process ends when nothing is left that it waits for.
  while (process.getActiveResourcesInfo().length > active) await sleep(1)
  const code = Number(process.exitCode ?? 0)
  process.exitCode = undefined
  process.emitWarning = emitWarning
  for (const [index, now] of listeners().entries())
    for (const [name, all] of now)
      for (const each of all)
        if (before[index]?.get(name)?.includes(each) !== true)
          emitters[index]?.removeListener(name, each as () => void)
  return { code, modules }
}

const channel = new Socket({ fd: 3 })
// Killed: at an end of its own, Node would keep the compiled code of every copy.
channel.on('close', () => process.kill(process.pid, 'SIGKILL'))
createInterface(channel).on('line', async (line) => {
  const command = JSON.parse(line) as Command
  const answer = await execute(command)
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise((resolve) => stream.write(command.end, resolve)),
    ),
  )
  channel.write(`${JSON.stringify(answer)}\n`)
})
