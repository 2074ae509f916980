/** JSON: lines that are objects (NDJSON), elements of an array, and messages in whatever form they are. */
import type { Format } from '../format.ts'
import { JsonReader } from './read.ts'
import { jsonRecord } from './record.ts'

const jsonFormat = (name: string, form?: 'lines' | 'elements'): Format => ({
  name,
  accepts: () => true,
  reader: (_, wanted, ignoreExtra) => new JsonReader(wanted, ignoreExtra, form),
  record: jsonRecord,
  // Elements may share a line.
  beginsLine: form !== 'elements',
})

export const ndjson = jsonFormat('ndjson', 'lines')

/** A chunk of it holds elements with what separates them, and no bracket before them. */
export const json = jsonFormat('json', 'elements')

export const jsonMessage = jsonFormat('message')
