import { expect, it } from 'vitest'
import { decisionText, questionText, undecided } from '../../src/infer/decision.ts'

it('a decision says its reason', () => {
  const because = 'the value in line 18204 is "A-17"'
  expect(decisionText({ about: 'id', chosen: 'text', because })).toBe(
    'id: text, because the value in line 18204 is "A-17"',
  )
})

const question = {
  about: 'the last record may be a total',
  line: 90,
  readings: [
    { option: '--footer-lines 1', meaning: 'leave it out' },
    { option: '--types text', meaning: 'load it' },
  ],
}

it('a question shows every reading with its option', () => {
  expect(questionText(question)).toBe(
    'the last record may be a total: --footer-lines 1 (leave it out) or --types text (load it)',
  )
})

it('the error of an undecided source names it, the lines and the readings, and is short', () => {
  const error = undecided(
    'sales.csv',
    Array.from({ length: 6 }, () => question),
  )
  expect(error.code).toBe('SOURCE_UNDECIDED')
  expect(error.message).toMatch(
    /^sales\.csv: line 90: the last record .+--types text \(load it\); and 2 more$/,
  )
})
