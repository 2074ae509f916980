/**
 * The image without an engine: its file system is laid by the step that the Dockerfile runs, and used as a container would
 * be: as its user, with no right to write but to its own folder and /tmp.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../../tooling/servers/engine.ts'
import { root } from '../structure/sources.ts'

const run = promisify(execFile)
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
/** What the last stage says. */
const stated = (name: string): string =>
  [...dockerfile.matchAll(new RegExp(`^${name} (.+)$`, 'gm'))].at(-1)?.[1] ?? ''
const [uid = '', gid = ''] = stated('USER').split(':')
const entrypoint = JSON.parse(stated('ENTRYPOINT')) as readonly [string, string]

const obstacle =
  spawnSync('dpkg-query', ['--version']).status !== 0
    ? 'not Debian'
    : spawnSync('unshare', ['--mount', 'true']).status !== 0
      ? 'no right to a mount namespace'
      : undefined
if (obstacle !== undefined && process.env['CI']) throw new Error(`the tests of the image: ${obstacle}`)
const name = obstacle === undefined ? 'the image' : `the image (SKIPPED: ${obstacle})`

describe.skipIf(obstacle !== undefined)(name, () => {
  let image: string
  beforeAll(async () => {
    image = mkdtempSync(join(tmpdir(), 'lading-image-'))
    await run(process.execPath, [join(root, 'tooling/image/main.ts'), image])
  })
  afterAll(() => rmSync(image, { recursive: true, force: true }))

  /** Arguments of `unshare` that run `command` as the only process of a container. */
  const container = (...command: readonly string[]): string[] => {
    const steps = [
      'set -e',
      'mount --bind "$0" "$0"',
      'mount -o remount,ro,bind "$0"',
      'mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"',
      `mount -t tmpfs -o uid=${uid},gid=${gid} tmpfs "$0/var/lib/lading"`,
      `exec unshare --pid --fork --kill-child --root "$0" --wd ${stated('WORKDIR')} --setgid ${gid} --setuid ${uid} "$@"`,
    ]
    return ['--mount', 'sh', '-c', steps.join('\n'), image, ...command]
  }
  const inside = (...command: readonly string[]) => run('unshare', container(...command), { env: {} })
  const node = (code: string) => inside(entrypoint[0], '--input-type=module', '--eval', code)

  it('has at most 200 MB, and neither a shell nor a package manager', () => {
    const paths = globSync('**', { cwd: image, withFileTypes: true })
    const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const bytes = files.reduce((sum, path) => sum + lstatSync(path).size, 0)
    expect(bytes).toBeLessThan(200_000_000)
    expect(files.filter((path) => /\/(sh|bash|dash|busybox|apt|dpkg|npm|yarn)$/.test(path))).toEqual([])
  })

  it('has what the installed library has, and nothing of the checkout besides', async () => {
    const { files, dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as { files: string[]; dependencies: object; peerDependencies: object }
    const left = ['@duckdb/node-api', 'fast-check', 'vitest']
    const packages = Object.keys({ ...dependencies, ...peerDependencies })
    const { stdout } = await node(`
      import { createRequire } from 'node:module'
      import { readdirSync } from 'node:fs'
      const require = createRequire('/app/package.json')
      const missing = ${JSON.stringify(packages)}.filter((name) => { try { require(name) } catch { return true } })
      console.log(JSON.stringify({ missing, app: readdirSync('/app') }))`)
    const { missing, app } = JSON.parse(stdout) as { missing: string[]; app: string[] }
    expect(missing).toEqual(left)
    expect(app).toEqual(
      [
        ...files.filter((path) => ['bin', 'dist'].includes(path)),
        'LICENSE',
        'node_modules',
        'package.json',
      ].toSorted(),
    )
  })

  it('is run by a user without rights, who can write to its own folder and nowhere else', async () => {
    const { stdout } = await node(`
      import { writeFileSync } from 'node:fs'
      const written = ['/app/x', '/etc/x', '/usr/local/bin/node', '/tmp/x', 'x'].filter((path) => {
        try { writeFileSync(path, ''); return true } catch { return false }
      })
      console.log(JSON.stringify({ uid: process.getuid(), pid: process.pid, cwd: process.cwd(), written }))`)
    expect(JSON.parse(stdout)).toEqual({
      uid: Number(uid),
      pid: 1,
      cwd: '/var/lib/lading',
      written: ['/tmp/x', 'x'],
    })
  })

  it('loads', async () => {
    const { stdout } = await node(`
      import { execFileSync } from 'node:child_process'
      import { writeFileSync } from 'node:fs'
      writeFileSync('/tmp/a.csv', 'id,v\\n1,a\\n2,b\\n')
      const args = ['/app/bin/lading.js', 'load', '/tmp/a.csv', '--json', '--quiet']
      process.stdout.write(execFileSync(process.execPath, args))`)
    expect(JSON.parse(stdout)).toMatchObject({ loadedNow: 2 })
  })

  it('answers the health check of compose.yaml, and ends well when it is told to', async () => {
    const { services } = parse(readFileSync(join(root, 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: { consumer: { environment: { LADING_HTTP: string }; healthcheck: { test: string[] } } }
    }
    const { environment, healthcheck } = services.consumer
    const port = await freePort()
    const [address = '', ...check] = [environment.LADING_HTTP, ...healthcheck.test.slice(1)].map((text) =>
      text.replaceAll('9090', String(port)),
    )
    const consumer = spawn(
      'unshare',
      container(...entrypoint, 'consume', '--model', 'records', '--http', address),
      { env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const ended = once(consumer, 'exit')
    onTestFinished(() => void consumer.kill('SIGKILL'))
    for await (const line of createInterface(consumer.stderr)) if (line.includes(address)) break
    consumer.stderr.resume()
    expect(await inside(...check)).toEqual({ stdout: '', stderr: '' })
    process.kill(Number(onlyChild(consumer.pid as number)), 'SIGTERM')
    expect(await ended).toEqual([0, null])
    await expect(inside(...check)).rejects.toMatchObject({ code: 1 })
  })

  it('names the packages of Debian that it has, for scanners', () => {
    const records = globSync('var/lib/dpkg/status.d/*', { cwd: image })
    expect(records).toEqual(expect.arrayContaining(['var/lib/dpkg/status.d/libc6']))
    for (const path of records) expect(readFileSync(join(image, path), 'utf8')).toMatch(/^Version: /m)
    expect(existsSync(join(image, 'usr/local/LICENSE'))).toBe(true)
  })
})

const onlyChild = (pid: number): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
