/** Marks a process that `lading run` started, with the name of its pipeline. */
const variable = 'LADING_RUN'

export const underRun = (pipeline: string) => ({ [variable]: pipeline })

/** The pipeline for which `lading run` started this process. */
export const pipelineOfRun = (): string | undefined => process.env[variable]

/** Stops as a signal would when `lading run` is gone, killed for example: nobody else would stop this process. */
export function endWithRun(): void {
  if (!isUnderRun() || process.channel == null) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  // Listening must not keep the process alive.
  process.channel.unref()
}

export const isUnderRun = (): boolean => pipelineOfRun() !== undefined
