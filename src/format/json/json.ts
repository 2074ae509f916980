/** JSON: lines that are objects (NDJSON), elements of an array, and messages in whatever form they are. */
import type { Format } from '../format.ts'
import { insideOf, InsideReader, isInside } from './inside.ts'
import { JsonReader } from './read.ts'
import { jsonRecord } from './record.ts'

const jsonFormat = (name: string, form?: 'lines' | 'elements'): Format => ({
  name,
  accepts: (layout) => insideOf(layout) !== undefined,
  reader: (layout, wanted, ignoreExtra) => {
    const inside = insideOf(layout)
    return inside !== undefined && isInside(inside)
      ? new InsideReader(inside, wanted, ignoreExtra, form)
      : new JsonReader(wanted, ignoreExtra, form)
  },
  record: jsonRecord,
  // Elements may share a line, and records inside of one do.
  beginsLine: (layout) => form !== 'elements' && !isInside(insideOf(layout) ?? { unwrap: [] }),
})

export const ndjson = jsonFormat('ndjson', 'lines')

/** A chunk of it holds elements with what separates them, and no bracket before them. */
export const json = jsonFormat('json', 'elements')

export const jsonMessage = jsonFormat('message')
