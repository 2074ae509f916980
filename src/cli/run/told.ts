/** What a load says when it is done. */
import type { LoadResult } from '../../load/load.ts'
import type { Account } from '../../sink/account.ts'
import type { Ledger, Receipt } from '../../sink/ledger.ts'
import { hint, sameCommand } from '../settings/hint.ts'
import {
  count,
  counted,
  paceOf,
  print,
  printFirstRejects,
  printJson,
  printReceipts,
  printVerdict,
  receiptJson,
  shortId,
  visible,
} from '../terminal/output.ts'
import { printLeftOut } from './left-out.ts'
import { printLeft } from './left.ts'

export function printResult(
  { loadedNow, produced, receipts, withheld, left, emptied, replaced }: LoadResult,
  ms: number,
): void {
  const others = { withheld, left, emptied, ...(replaced && { replaced }) }
  printJson({ loadedNow, ms, produced, receipts: receipts.map(receiptJson), ...others })
}

interface Telling {
  readonly ms: number
  readonly paths: readonly string[]
  readonly flags: { readonly name?: string; readonly state: string }
  readonly table: string
  readonly ledger: Ledger
}

export async function tellResult(
  result: LoadResult,
  { ms, paths, flags, table, ledger }: Telling,
): Promise<void> {
  const { account, before, files, loadedNow } = result
  printLeftOut(result.leftOut)
  printReceipts(account)
  printVerdict(account, { withheld: result.withheld })
  await printFirstRejects(account, ledger)
  print(
    `this run loaded ${counted(loadedNow, 'record')}${paceOf(loadedNow, ms)}${result.loadsBefore === 0 ? '' : `; ${count(result.loadsBefore)} of ${counted(files, 'file')} had been loaded before`}`,
  )
  printReplaced(result, table)
  printRejectedBefore(before)
  printEmptied(result, table, paths)
  const name = flags.name ?? 'stdin'
  if (paths.includes('-'))
    printSameBytes(
      result.receipts.find(({ loadId, source }) => source === name && !publishedNow(result).has(loadId)),
    )
  await printLeft(result.left, flags.state)
}

function printReplaced({ replaced }: LoadResult, table: string): void {
  if (replaced === undefined) return
  print(
    replaced === 'already'
      ? `table ${visible(table)} holds these rows already, and nothing was replaced: --fresh replaces them`
      : `replaced ${counted(replaced.before, 'row')} of table ${visible(table)} by ${count(replaced.rows)}`,
  )
}

/** Loads of which something was published in this run; a second path to the same load has nothing to publish. */
const publishedNow = ({ produced }: LoadResult): ReadonlySet<string> =>
  new Set(produced.flatMap(({ loadId, published }) => (published > 0 ? [loadId] : [])))

/** Rejects are not retried automatically. */
function printRejectedBefore({ totals, withRejects: [one] }: Account): void {
  if (one === undefined) return
  const rejects = totals.openRejects
  const only = totals.withRejects === 1 ? ['--load', shortId(one.loadId)] : []
  print(
    `${counted(rejects, 'record')} of these loads ${rejects === 1 ? 'was' : 'were'} rejected before; after correcting the model, the table or the options: ${hint('rejects replay', ...only)}`,
  )
}

const mostPaths = 5

const ofAppending = ['append', 'rotated', 'ended']

/** The ledger knows what took effect, not what others have removed since. */
function printEmptied(
  { emptied, emptiedRecords, loadedNow }: LoadResult,
  table: string,
  paths: readonly string[],
): void {
  if (emptied.length === 0) return
  const command =
    paths.length > mostPaths ? 'the same command with --fresh' : sameCommand(paths, '--fresh', ofAppending)
  // What this run has loaded would be there twice.
  const first = loadedNow > 0 ? 'empty it again, then ' : ''
  print(
    `table ${visible(table)} WAS EMPTY, though ${counted(emptiedRecords, 'record')} had been loaded into it before; to load from scratch: ${first}${command}`,
  )
}

/** Standard input has no name of its own, so equal bytes are the same load. */
function printSameBytes(receipt: Receipt | undefined): void {
  if (receipt === undefined) return
  const { source, records, startedAt } = receipt
  print(
    `standard input has the bytes of ${source} of ${startedAt} (${counted(records, 'record')}), so nothing was loaded: --name NAME loads them under another name, --again a second time under this one`,
  )
}
