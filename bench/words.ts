import type { Size } from './data.ts'
import { whole } from './report.ts'

/** `1,000 files of 1,000 records`. */
export const filesOf = ({ records, sensors }: Size): string =>
  `${whole(sensors)} ${sensors === 1 ? 'file' : 'files'} of ${whole(records / sensors)} records`

/** A sentence of its own begins with a capital letter. */
export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
