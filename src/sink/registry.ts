/** The databases that there are. A driver is loaded when a URL of its database is opened. */
import { type Adapter, adapterOf, examplesOf, type Place, placeOf } from '../core/address.ts'
import { splitScheme } from '../core/url.ts'
import type { SinkExamination, SinkQuestions } from './examination.ts'
import { postgres } from './postgres/address.ts'
import type { Sink } from './sink.ts'
import { sqlite } from './sqlite/address.ts'

const adapters: readonly Adapter<Sink>[] = [
  { ...postgres, open: async (url) => new (await import('./postgres/postgres.ts')).PostgresSink(url) },
  { ...sqlite, open: async (url) => (await import('./sqlite/sqlite.ts')).openSqlite(url) },
]

/** What `lading doctor` asks. */
const examiners: readonly Adapter<SinkExamination, SinkQuestions>[] = [
  { ...postgres, open: async (...args) => (await import('./postgres/doctor/doctor.ts')).examine(...args) },
  { ...sqlite, open: async (url) => (await import('./sqlite/doctor/doctor.ts')).examine(url) },
]

export const defaultSinkUrl = 'sqlite:./lading.db'
/** For the examples of help: a server. */
export const exampleSinkUrl = 'postgresql://me@localhost/mydb'
export const sinkUrls = examplesOf(adapters)

export const placeOfSink = (url: string): Place => placeOf(adapters, url)

export const openSink = async (url: string = defaultSinkUrl): Promise<Sink> =>
  adapterOf(adapters, 'database', url).open(url)

export const examineSink = async (url: string, questions: SinkQuestions): Promise<SinkExamination> =>
  adapterOf(examiners, 'database', url).open(url, questions)

/** The URL that opens what `Sink.place` names; the place of a file is its path alone. */
export function urlOfPlace(place: string): string {
  const scheme = splitScheme(place)?.scheme ?? ''
  return adapters.some(({ schemes }) => schemes.includes(scheme)) ? place : `sqlite:${place}`
}
