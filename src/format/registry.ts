/** The formats that records lie in. */
import type { Layout } from '../core/load.ts'
import { csv } from './csv/csv.ts'
import type { Format } from './format.ts'
import { json, jsonMessage, ndjson } from './json/json.ts'

const formats: readonly Format[] = [csv, ndjson, json, jsonMessage]

/** How the records of external messages lie. */
export const messageLayout: Layout = { format: jsonMessage.name, fields: [] }

/** The format of a layout; undefined where none can read it, as that of a newer version. */
export const formatOf = (layout: Layout): Format | undefined =>
  formats.find((format) => format.name === (layout.format ?? csv.name) && format.accepts(layout))
