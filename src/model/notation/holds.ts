/** What columns hold, and what notations say, as far as both differ. */
import type { Notation } from '../../core/notation.ts'
import type { ColumnType } from '../columns.ts'

/** What a column holds, as far as notations differ. */
export type Holds = 'number' | 'date' | 'time' | 'timestamp' | 'timestamptz' | 'text' | 'any'

const kinds: Readonly<Record<string, Holds>> = {
  integer: 'number',
  bigint: 'number',
  double: 'number',
  numeric: 'number',
  exactNumber: 'number',
  date: 'date',
  time: 'time',
  timeOfDay: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  keptDate: 'date',
  keptTimestamp: 'timestamp',
}

/** SQL names of the types of a `custom` column. */
const names: readonly (readonly [RegExp, Holds])[] = [
  [
    /^(?:smallint|int\d?|integer|bigint|real|float\d?|double precision|numeric|decimal|money)\b(?!.*\[)/i,
    'number',
  ],
  [/^date\b(?!.*\[)/i, 'date'],
  [/^(?:timestamptz|timestamp\b.*with time zone)(?!.*\[)/i, 'timestamptz'],
  [/^timestamp\b(?!.*\[)/i, 'timestamp'],
  [/^time\b(?!.*\[)/i, 'time'],
]

export function holds({ kind, sql }: ColumnType): Holds {
  if (kind !== 'custom') return kinds[kind] ?? 'text'
  return names.find(([name]) => name.test(sql ?? ''))?.[1] ?? 'any'
}

export const isTimes = (held: Holds): boolean => held !== 'number' && held !== 'text' && held !== 'any'

/** Whether the notation says something of numbers, and of times. */
export const ofNumbers = ({ decimal, thousands, money, percent }: Notation): boolean =>
  decimal !== undefined || thousands !== undefined || money !== undefined || percent !== undefined
export const ofTimes = ({ pattern, epoch }: Notation): boolean => pattern !== undefined || epoch !== undefined
