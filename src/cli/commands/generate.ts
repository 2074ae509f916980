import { Command, Option } from 'commander'
import { withExamples } from '../settings/examples.ts'
import { count, counted, print, printJson } from '../terminal/output.ts'
import { loginsCommand } from './logins.ts'
import { jsonOption, positive, whole } from '../settings/options.ts'
import { stopSignal } from '../run/signals.ts'

interface Flags {
  readonly sensors: number
  readonly records: number
  readonly interval: number
  readonly start: string
  readonly timezone: string
  readonly dir: string
  readonly seed: number
  readonly json?: true
}

export function generateCommand(generate: Command): Command {
  const sensors = new Command('sensors')
    .description('write CSV files of sensor readings, one per sensor; the same seed gives the same bytes')
    .addOption(new Option('--sensors <n>', 'number of sensors').default(10).argParser(whole(1)))
    .addOption(new Option('--records <n>', 'records per sensor').default(1000).argParser(whole(0)))
    .addOption(new Option('--interval <seconds>', 'time between two records').default(1).argParser(positive))
    .option('--start <date>', 'time of the first record, in the time zone', '2021-01-01')
    .option('--timezone <zone>', 'IANA time zone', 'UTC')
    .option('--dir <folder>', 'folder for the files', './data')
    .addOption(new Option('--seed <n>', 'seed of ids and values').default(42).argParser(whole(0)))
    .addOption(jsonOption())
    .action(async (flags: Flags) => {
      const { generateSensors } = await import('../../generate/sensors.ts')
      const { interval, dir, json, ...rest } = flags
      const totals = await generateSensors({
        ...rest,
        intervalSeconds: interval,
        directory: dir,
        signal: stopSignal(),
      })
      if (json) printJson({ ...totals, directory: dir })
      else
        print(
          `wrote ${counted(totals.records, 'record')} of ${counted(totals.files, 'sensor')} to ${dir} (${count(totals.bytes)} bytes)`,
        )
    })
  withExamples(sensors, [
    ['generate sensors', '10 files of 1,000 records in ./data'],
    ['generate sensors --sensors 1000 --records 100000 --dir big'],
    ['generate sensors --start 2024-06-01 --timezone Asia/Taipei --interval 60 --seed 7'],
  ])
  generate.addCommand(sensors).addCommand(loginsCommand())
  return withExamples(generate, [
    ['generate sensors --sensors 10 --records 1000 --dir data'],
    ['generate logins --count 100 --broken 0.1'],
  ])
}
