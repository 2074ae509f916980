/**
 * Lays the file system of the image: Node, the libraries that it is linked with, Lading and its drivers; no shell and no
 * package manager.
 *
 *     node tooling/image/main.ts FOLDER
 *
 * The Dockerfile runs it on Debian, whose packages it takes as they are installed there, and test/flow/image.test.ts
 * on any Debian, without an engine.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { layApplication, layNode } from './application.ts'

/** Who runs in the image, also where its name is not known: `USER` of the Dockerfile. */
const user = 1000
const home = '/var/lib/lading'
/** What Node is linked with; the last one on some processors only. */
const libraries = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1']

const target = process.argv[2]
if (target === undefined) throw new Error('node tooling/image/main.ts FOLDER')
const inside = (path: string): string => join(target, path)

layFolders()
for (const name of ['base-files', ...libraries]) if (isInstalled(name)) layPackage(name)
layNode(inside('usr/local/bin/node'), inside('usr/local/LICENSE'))
layApplication(inside('app'))

function layFolders(): void {
  for (const folder of ['etc', 'usr/lib', 'usr/lib64', 'usr/local/bin', 'app', 'tmp', home])
    mkdirSync(inside(folder), { recursive: true })
  for (const folder of ['lib', 'lib64']) symlinkSync(`usr/${folder}`, inside(folder))
  chmodSync(inside('.'), 0o755)
  chmodSync(inside('tmp'), 0o1777)
  chownSync(inside(home), user, user)
  write(
    'etc/passwd',
    `root:x:0:0:root:/root:/sbin/nologin\nlading:x:${user}:${user}:lading:${home}:/sbin/nologin\n`,
  )
  write('etc/group', `root:x:0:\nlading:x:${user}:\n`)
  write('etc/nsswitch.conf', 'hosts: files dns\n')
}

function isInstalled(name: string): boolean {
  return spawnSync('dpkg-query', ['--status', name], { stdio: 'ignore' }).status === 0
}

/** The libraries and the licence of one of Debian's packages, and its record, by which scanners know it. */
function layPackage(name: string): void {
  const listed = execFileSync('dpkg-query', ['--listfiles', name], { encoding: 'utf8' }).trim().split('\n')
  const kept = listed.filter(
    (path) =>
      /\.so(\.|$)|\/os-release$|\/debian_version$|\/copyright$/.test(path) && !/\/(gconv|audit)\//.test(path),
  )
  for (const path of kept) if (existsSync(path) && !lstatSync(path).isDirectory()) layFile(path)
  const record = execFileSync('dpkg-query', ['--status', name], { encoding: 'utf8' })
  mkdirSync(inside('var/lib/dpkg/status.d'), { recursive: true })
  write(`var/lib/dpkg/status.d/${name}`, record)
}

/** At the place where it really is: `/lib` is a link to `/usr/lib`. */
function layFile(path: string): void {
  const to = inside(join(realpathSync(dirname(path)), basename(path)))
  mkdirSync(dirname(to), { recursive: true })
  cpSync(path, to, { verbatimSymlinks: true })
}

function write(path: string, text: string): void {
  writeFileSync(inside(path), text)
}
