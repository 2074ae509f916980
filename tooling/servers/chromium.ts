/**
 * A browser for tests: the machine's own Chromium, or Debian's package, with a profile that is gone with it.
 * Nothing is downloaded.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { openFirst } from './engine.ts'
import { installPackage, lastLine, requireApt, pathFolders, run, Unavailable } from './machine.ts'

export async function startChromium(): Promise<Browser> {
  const executablePath = await (found ??= openFirst('Chromium', ways()))
  // Root has no sandbox to give.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

let found: Promise<string> | undefined

function ways() {
  const path = process.env['LADING_TEST_CHROMIUM']
  if (path) return [{ name: `LADING_TEST_CHROMIUM=${path}`, open: async () => working(path) }]
  return [
    { name: "the machine's own", open: async () => fromMachine() },
    {
      name: 'apt-get install',
      open: async () => {
        requireApt()
        installPackage('chromium')
        return fromMachine()
      },
    },
  ]
}

function fromMachine(): string {
  const folders = ['/usr/bin', ...pathFolders()]
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  const path = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((each) => existsSync(each))
  if (path === undefined) throw new Unavailable(`none of ${names.join(', ')} on PATH`)
  return working(path)
}

function working(path: string): string {
  const { error, status, stderr } = run(path, ['--version'])
  if (error || status !== 0) throw new Unavailable(error?.message ?? lastLine(stderr))
  return path
}
