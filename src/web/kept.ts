/** Rejects and dead letters as the page shows them. */
import { asBuffer } from '../core/bytes.ts'
import { type Code, codes } from '../core/errors.ts'
import type { Span } from '../core/fault.ts'
import type { StoredDeadLetter, StoredReject } from '../sink/ledger.ts'
import type { KeptAnswer, KeptItem, RecordAnswer } from './answers.ts'
import { bodyAnswer, textStart } from './body.ts'
import { editingOf, isCorrected } from './edit.ts'

/** Most bytes of a record to show. */
const mostTextBytes = 65_536

export function rejectItem(reject: StoredReject): KeptItem {
  const { id, source, line, loadId, code, column, detail, state, at } = reject
  const { meaning } = wordsOf(code)
  return { id, place: `${source}:${line}`, loadId, code, meaning, column, detail, state, at }
}

export function letterItem({ id, key, load, code, detail, state, at }: StoredDeadLetter): KeptItem {
  return { id, place: key, loadId: load?.id, code, meaning: wordsOf(code).meaning, detail, state, at }
}

export function rejectAnswer(reject: StoredReject): KeptAnswer {
  const { code, record, line, byte, loadId, pipeline, masked = [] } = reject
  const facts: [string, string][] = [
    ['Record', String(record)],
    ['Line', String(line)],
    ['Byte', String(byte)],
    ['Pipeline', pipeline],
    ...(loadId === undefined ? [] : [['Load', loadId] as [string, string]]),
    ...(masked.length === 0 ? [] : [['Masked', masked.join(', ')] as [string, string]]),
  ]
  return { ...rejectItem(reject), ...wordsOf(code), facts, record: recordAnswer(reject) }
}

function recordAnswer(reject: StoredReject): RecordAnswer {
  const { raw, edited, span, state } = reject
  return {
    ...splitText(edited ?? raw, span),
    original: isCorrected(reject) ? textStart(raw, mostTextBytes) : undefined,
    editing: state === 'open' ? editingOf(reject) : undefined,
  }
}

export function letterAnswer(letter: StoredDeadLetter): KeptAnswer {
  const { code, load, pipeline, records, attempts, sha256, headers } = letter
  const facts: [string, string][] = [
    ['Records', String(records)],
    ['Deliveries', String(attempts)],
    ['Pipeline', pipeline],
    ...(load === undefined ? [] : [['Source', load.source] as [string, string]]),
    ...(load === undefined ? [] : [['Load', load.id] as [string, string]]),
    ['SHA-256', sha256],
  ]
  const message = { headers: Object.entries(headers), body: bodyAnswer(letter) }
  return { ...letterItem(letter), ...wordsOf(code), facts, message }
}

/** A code written by a newer version has no texts here. */
function wordsOf(code: Code): { meaning: string; advice: string } {
  const { meaning, advice } = (codes as Partial<typeof codes>)[code] ?? { meaning: '', advice: '' }
  return { meaning, advice }
}

function splitText(bytes: Uint8Array, span: Span | undefined): Pick<RecordAnswer, 'text' | 'cut'> {
  const kept = bytes.subarray(0, mostTextBytes)
  const cut = bytes.length - kept.length
  const part = (start: number, end?: number) => asBuffer(kept.subarray(start, end)).toString('utf8')
  if (span === undefined) return { text: { before: part(0), after: '' }, cut }
  const { start, end } = span
  return { text: { before: part(0, start), fault: part(start, end), after: part(end) }, cut }
}
