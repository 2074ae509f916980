/** What a lane takes of the machine: a small disk, and a clock that can be set. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { installPackage, requireApt, Unavailable } from '../../tooling/servers/machine.ts'
import type { Clock, Disk } from './lane.ts'

const diskMiB = 192

/** At `disk` in the folder; the caller unmounts it. */
export function mountDisk(folder: string): Disk | { readonly reason: string } {
  // The server of a database has a user of its own.
  chmodSync(folder, 0o755)
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  const { status, stderr } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${diskMiB}m,mode=777`, 'tmpfs', disk],
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0) return { reason: `no right to mount a small disk: ${(stderr ?? '').trim()}` }
  const ballast = join(disk, 'ballast')
  return {
    folder: disk,
    fill: () => {
      const file = openSync(ballast, 'a')
      const block = Buffer.alloc(65_536)
      try {
        for (;;) writeSync(file, block)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
  }
}

const library = (): string | undefined =>
  globSync('/usr/lib/*/faketime/libfaketime.so.1').find((path) => existsSync(path))

/** Preloads libfaketime, which Debian's package `faketime` brings. What measures durations is left as it is. */
export function makeClock(folder: string): Clock | { readonly reason: string } {
  try {
    if (library() === undefined) {
      requireApt()
      installPackage('faketime')
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return { reason: `faketime cannot be had: ${error.message}` }
  }
  const path = library()
  if (path === undefined) return { reason: 'faketime brought no libfaketime.so.1' }
  const file = join(folder, 'clock')
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  step(0)
  chmodSync(file, 0o644)
  return {
    step,
    env: {
      LD_PRELOAD: path,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  }
}
