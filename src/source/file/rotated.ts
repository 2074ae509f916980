/** Files that a rotation has made of one, as logrotate and its like name them. */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { asPattern } from '../../core/text.ts'

/** A number or a time, and how it may be compressed. Copies under other names (`.bak`, `~`) are no rotation. */
const turn = String.raw`[.-]\d[\d._T:-]*`
const packed = String.raw`(\.gz|\.zst)?`

/** `app.log.1`, `app.log-20260131.gz`, `app-20260131.log` beside `app.log`: the youngest first. */
export function rotatedFrom(path: string): readonly string[] {
  const [folder, name] = [dirname(path), basename(path)]
  const suffix = extname(name)
  const stem = name.slice(0, name.length - suffix.length)
  const form = new RegExp(
    `^(?:${asPattern(name)}${turn}${packed}|${asPattern(stem)}${turn}${asPattern(suffix)}${packed})$`,
  )
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== name && form.test(entry.name),
  )
  const timed = files.map((entry) => ({
    path: join(folder, entry.name),
    at: changedAt(join(folder, entry.name)),
  }))
  return timed.toSorted((a, b) => b.at - a.at).map((file) => file.path)
}

/** 0 of a file that was moved away meanwhile. */
const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
