/**
 * What must be in the tables follows from the input alone: which records there were, which of them are bad, and what the
 * policy says of records with one key. Asks nothing of Lading.
 */

export interface Row {
  readonly family: string
  readonly n: number
  readonly version: number
  /** No two records have the same. */
  readonly note: string
}

/**
 * Of records with the same key: `none` for tables without a key, `error` rejects all but one, `skip` leaves out all but
 * one, `version` keeps the one with the highest version, `last` the one that was sent last.
 */
export type Policy = 'none' | 'error' | 'skip' | 'version' | 'last'

export interface InputRecord {
  /** File and line, or message and number in it. */
  readonly place: string
  /** As it is in the table, once it was mended where it is bad. */
  readonly row: Row
  /** Why it is refused. */
  readonly code?: string
  /** It was corrected and replayed. */
  readonly isMended?: boolean
}

export interface InputLoad {
  readonly source: string
  readonly records: number
}

export interface Input {
  readonly policy: Policy
  /** In the order in which they were sent. */
  readonly records: readonly InputRecord[]
  /** None for messages of others. */
  readonly loads: readonly InputLoad[]
}

export interface FoundReject {
  readonly place: string
  readonly code: string
  readonly state: string
}

export interface FoundReceipt extends InputLoad {
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
  /** What does not add up, as Lading says itself. */
  readonly problems: readonly string[]
}

export interface Found {
  readonly rows: readonly Row[]
  readonly rejects: readonly FoundReject[]
  readonly receipts: readonly FoundReceipt[]
  readonly deadLetters: number
  /** Messages left in the queue, whoever holds them. */
  readonly left: number
}

/** How many of each, with examples among the problems. */
export interface Verdict {
  readonly records: number
  readonly lost: number
  readonly doubled: number
  readonly unexpected: number
  /** One line each; none where all is as it must be. */
  readonly problems: readonly string[]
}

export function judge(input: Input, found: Found): Verdict {
  const problems: string[] = []
  const { lost, doubled, unexpected, rejects } = judgeRows(input, found.rows)
  tell(problems, 'lost', lost)
  tell(problems, 'doubled', doubled)
  tell(problems, 'unexpected', unexpected)
  judgeRejects([...rejects, ...badOnes(input.records)], found.rejects, problems)
  judgeReceipts(input, found, problems)
  if (found.deadLetters > 0) problems.push(`${found.deadLetters} dead letters`)
  if (found.left > 0) problems.push(`${found.left} messages left in the queue`)
  return {
    records: input.records.length,
    lost: lost.length,
    doubled: doubled.length,
    unexpected: unexpected.length,
    problems,
  }
}

const textOf = ({ family, n, version, note }: Row) => `${family}|${n}|${version}|${note}`

function judgeRows({ policy, records }: Input, rows: readonly Row[]) {
  const keyOf = ({ family, n, note }: Row) => (policy === 'none' ? note : `${family}|${n}`)
  const wanted = new Map<string, InputRecord[]>()
  for (const record of records) {
    if (record.code !== undefined && record.isMended !== true) continue
    const key = keyOf(record.row)
    const others = wanted.get(key)
    if (others === undefined) wanted.set(key, [record])
    else others.push(record)
  }
  const stored = Map.groupBy(rows, keyOf)
  const lost: string[] = []
  const doubled: string[] = []
  const unexpected: string[] = []
  const rejects: FoundReject[] = []
  for (const [key, candidates] of wanted) {
    const [row, ...more] = stored.get(key) ?? []
    doubled.push(...more.map(textOf))
    if (row === undefined) {
      lost.push(candidates.map(({ place, row: one }) => `${place} ${textOf(one)}`).join(' or '))
      continue
    }
    const winner = candidates.find((candidate) => textOf(candidate.row) === textOf(row))
    if (winner === undefined || !mayWin(policy, winner, candidates)) unexpected.push(textOf(row))
    if (policy !== 'error') continue
    for (const loser of candidates)
      if (loser !== winner) rejects.push({ place: loser.place, code: 'CONSTRAINT_UNIQUE', state: 'open' })
  }
  for (const [key, others] of stored) if (!wanted.has(key)) unexpected.push(...others.map(textOf))
  return { lost, doubled, unexpected, rejects } as const
}

function mayWin(policy: Policy, winner: InputRecord, candidates: readonly InputRecord[]): boolean {
  if (policy === 'last') return winner === candidates.at(-1)
  return policy !== 'version' || candidates.every(({ row }) => row.version <= winner.row.version)
}

const badOnes = (records: readonly InputRecord[]): FoundReject[] =>
  records.flatMap(({ place, code, isMended }) =>
    code === undefined ? [] : { place, code, state: isMended === true ? 'replayed' : 'open' },
  )

/** Which ones, not only how many. */
function judgeRejects(
  wanted: readonly FoundReject[],
  found: readonly FoundReject[],
  problems: string[],
): void {
  const counts = new Map<string, number>()
  const add = ({ place, code, state }: FoundReject, one: number) => {
    const text = `${place} ${code} ${state}`
    counts.set(text, (counts.get(text) ?? 0) + one)
  }
  for (const reject of wanted) add(reject, 1)
  for (const reject of found) add(reject, -1)
  const off = [...counts].filter(([, count]) => count !== 0)
  tell(
    problems,
    'missing rejects',
    off.flatMap(([text, count]) => (count > 0 ? text : [])),
  )
  tell(
    problems,
    'unexpected rejects',
    off.flatMap(([text, count]) => (count < 0 ? text : [])),
  )
}

function judgeReceipts({ policy, loads }: Input, { receipts, rows }: Found, problems: string[]): void {
  const found = new Map(receipts.map((receipt) => [receipt.source, receipt]))
  if (receipts.length !== loads.length) problems.push(`${receipts.length} receipts for ${loads.length} loads`)
  const wrong: string[] = []
  for (const { source, records } of loads) {
    const receipt = found.get(source)
    if (receipt === undefined) {
      wrong.push(`no receipt of ${source}`)
      continue
    }
    const { loaded, rejected, skipped } = receipt
    if (receipt.records !== records || loaded + rejected + skipped !== records)
      wrong.push(`${source} has ${records} records; its receipt: ${JSON.stringify(receipt)}`)
    wrong.push(...receipt.problems.map((problem) => `${source}: ${problem}`))
  }
  tell(problems, 'faults of receipts', wrong)
  const loaded = receipts.reduce((sum, receipt) => sum + receipt.loaded, 0)
  // Elsewhere a row may take the place of another one.
  if (loads.length > 0 && policy !== 'version' && policy !== 'last' && loaded !== rows.length)
    problems.push(`${loaded} records loaded by the receipts, ${rows.length} rows`)
}

function tell(problems: string[], what: string, found: readonly string[]): void {
  if (found.length > 0) problems.push(`${found.length} ${what}: ${found.slice(0, 5).join('; ')}`)
}
