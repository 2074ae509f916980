/** CSV files of made-up sensors, made once for each number of them and kept until the bench ends. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateSensors } from '../src/generate/sensors.ts'

export interface Size {
  readonly records: number
  /** Files, all of the same length. */
  readonly sensors: number
}

export interface Data extends Size {
  readonly folder: string
  readonly files: readonly string[]
}

/** Below `parent`; two calls with one size give the same files. */
export async function sensorData(parent: string, { records, sensors }: Size): Promise<Data> {
  if (records % sensors !== 0)
    throw new Error(`${records} records are no multiple of ${sensors} files, which all have the same length`)
  const folder = join(parent, `sensors-${sensors}x${records / sensors}`)
  if (!existsSync(folder)) {
    await generateSensors({
      sensors,
      records: records / sensors,
      intervalSeconds: 1,
      start: '2024-01-01',
      timezone: 'UTC',
      directory: folder,
      seed: 42,
    })
  }
  return { records, sensors, folder, files: readdirSync(folder).map((name) => join(folder, name)) }
}

/** The parts of `files` that streams beside each other take. */
export const shares = (files: readonly string[], streams: number): readonly string[][] =>
  Array.from({ length: streams }, (_, stream) => files.filter((_file, index) => index % streams === stream))
