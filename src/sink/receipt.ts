import type { Receipt } from './ledger.ts'

/** What is open of a load, and what does not add up. */
export interface Balance {
  /** Records without a verdict yet. */
  readonly open: number
  /**
   * What does not add up, one line each; empty if the receipt is sound. An open record is no contradiction.
   */
  readonly problems: readonly string[]
}

const gathering = ' (replacing)'

/** Of the loads that gather what is to replace the rows of a table. No load of a person has it. */
export const gatheringPipeline = (pipeline: string): string => `${pipeline}${gathering}`

/** What a load has done to its table: of what is gathered, the table has nothing until all of it is taken. */
export const asTaken = (receipt: Receipt): Receipt =>
  receipt.pipeline.endsWith(gathering) ? { ...receipt, loaded: 0, chunksDone: 0, isGathered: true } : receipt

/** The receipt of a load of which the ledger knows nothing: everything is open. */
export function openReceipt(
  load: Pick<
    Receipt,
    'loadId' | 'pipeline' | 'source' | 'sha256' | 'bytes' | 'plan' | 'records' | 'chunks' | 'startedAt'
  >,
): Receipt {
  const counts = { loaded: 0, rejected: 0, skipped: 0, dead: 0, filtered: 0, chunksDone: 0 }
  return {
    ...load,
    ...counts,
    rejectRows: 0,
    openRejects: 0,
    deadLetters: 0,
    openDeadLetters: 0,
    deadLetterRecords: 0,
  }
}

/**
 * Checks a receipt against itself: records = loaded + rejected + skipped + dead + open, with every kept
 * reject and dead letter counted.
 */
export function balance(receipt: Receipt): Balance {
  const { records, loaded, rejected, skipped, dead, chunks, chunksDone, rejectRows, deadLetterRecords } =
    receipt
  const open = records - loaded - rejected - skipped - dead
  const problems: string[] = []
  if (open < 0) problems.push(`${-open} more records have a verdict than the plan has`)
  if (chunksDone > chunks) problems.push(`${chunksDone} chunks have a verdict, the plan has ${chunks}`)
  if (chunksDone === chunks && open > 0)
    problems.push(`every chunk has a verdict, and ${open} records have none`)
  if (receipt.filtered > skipped)
    problems.push(`${receipt.filtered} records are left out on purpose, and only ${skipped} are skipped`)
  if (rejectRows !== rejected)
    problems.push(`${rejected} records are rejected, and ${rejectRows} rejects are kept`)
  if (deadLetterRecords !== dead)
    problems.push(`${dead} records are dead, and the dead letters that are kept hold ${deadLetterRecords}`)
  return { open, problems }
}
