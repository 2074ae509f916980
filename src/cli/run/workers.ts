import { type ChildProcess, spawn } from 'node:child_process'
import { resolve as absolute } from 'node:path'
import { createInterface } from 'node:readline'
import { LadingError } from '../../core/errors.ts'
import type { LadingEvent } from '../../core/events.ts'
import { isUrl } from '../../source/root.ts'
import type { WorkerOptions, Workers } from '../../load/load.ts'
import type { ConsumeFlags } from '../settings/consume.ts'
import { isRedirected, loggingArguments, writeLine } from '../terminal/log.ts'
import { type ModelSource, modelVariables } from './derived.ts'
import { type Order, tied } from './signals.ts'

/**
 * Starts `n` processes of `lading consume`. URLs go through the environment, because any user on the machine
 * can read arguments. Orders, and the loads whose chunks they take, go over the IPC channel, not as signals:
 * a signal may have reached the whole process group already, and a second one would end a consumer at once.
 * The channel closes when this process is killed, which also stops the consumers.
 */
export function consumerProcesses(
  n: number,
  flags: ConsumeFlags,
  model: ModelSource,
  { signal, loads, onEvent }: Omit<WorkerOptions, 'indexesDeferred'>,
): Workers {
  const env = {
    ...process.env,
    LADING_TO: flags.to,
    LADING_QUEUE: flags.queue,
    ...modelVariables(model),
    ...tied,
  }
  // A consumer's own output, mostly an error, must not break the drawing on the terminal.
  const isDrawn = isRedirected()
  const children = Array.from({ length: n }, () =>
    // Standard output is for the parent's result only, not for a child's counts.
    spawn(
      process.execPath,
      [...process.execArgv, process.argv[1] as string, 'consume', ...argumentsOf(flags)],
      {
        env,
        stdio: ['ignore', 'ignore', isDrawn ? 'pipe' : 'inherit', 'ipc'],
      },
    ),
  )
  for (const child of children) {
    child.on('message', (event) => onEvent(event as LadingEvent))
    if (child.stderr !== null) createInterface(child.stderr).on('line', (line) => writeLine(line))
  }
  const order = (what: Order) => {
    // A process that is already ending takes no orders.
    for (const child of children) if (child.connected) child.send(what, () => undefined)
  }
  loads.each((load) => order({ load }))
  let told = false
  const stop = () => {
    told = true
    order('stop')
  }
  const finish = () => order('finish')
  // If one fails, the others stop before the failure is reported.
  const each = children.map((child) =>
    ending(child, () => told || signal.aborted).catch((error: unknown) => {
      stop()
      throw error
    }),
  )
  const ended = Promise.allSettled(each).then(async () => void (await Promise.all(each)))
  return { ended, stop, finish }
}

function argumentsOf(flags: ConsumeFlags): string[] {
  const { pipeline, ignoreExtra, dedupKey, root, create, batchMessages, maxAttempts, startTimeout } = flags
  const { messageAttempts, batchAttempts, retryPause, setAside } = flags
  return [
    '--allow-rejects',
    '--dedup-key',
    dedupKey,
    '--root',
    isUrl(root) ? root : absolute(root),
    ...(pipeline === undefined ? [] : ['--pipeline', pipeline]),
    ...(ignoreExtra === true ? ['--ignore-extra'] : []),
    ...(flags.unwrap === undefined ? [] : ['--unwrap', flags.unwrap]),
    '--batch-messages',
    String(batchMessages),
    '--max-attempts',
    String(maxAttempts),
    ...setAside.flatMap((key) => ['--set-aside', key]),
    '--message-attempts',
    String(messageAttempts),
    ...(batchAttempts === undefined ? [] : ['--batch-attempts', String(batchAttempts)]),
    '--retry-pause',
    String(retryPause),
    '--start-timeout',
    String(startTimeout),
    ...(create ? [] : ['--no-create']),
    ...loggingArguments(),
  ]
}

function ending(child: ChildProcess, told: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    // v8 ignore next -- the system starts no process any more
    child.once('error', (cause) =>
      reject(
        new LadingError('CONSUMER_LOST', `a consumer could not be started: ${cause.message}`, { cause }),
      ),
    )
    child.once('close', (code, signal) => {
      if (told() || code === 0) resolve()
      else
        reject(
          new LadingError(
            'CONSUMER_LOST',
            `a consumer process ended with ${signal ?? `exit code ${code}`}; see its output above`,
          ),
        )
    })
  })
}
