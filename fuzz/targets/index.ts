import type { Target } from '../target.ts'
import { csv } from './csv.ts'
import { envelope } from './envelope.ts'
import { infer } from './infer.ts'
import { json } from './json.ts'
import { endless, planted } from './planted.ts'
import { types } from './types.ts'

export const targets: readonly Target[] = [csv, json, envelope, types, infer]

/** Faults on purpose, which fuzzing has to find: they run only by their names. */
const faults: readonly Target[] = [planted, endless]
export const hidden: readonly string[] = faults.map(({ name }) => name)

export function targetNamed(name: string): Target {
  const found = [...targets, ...faults].find((target) => target.name === name)
  if (found === undefined) throw new Error(`there is no target ${name}`)
  return found
}
