/** What the fault tests load, as a module that `--model` takes too. */
import { bigint, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'

/** Without a key, so that a record that takes effect twice is there twice. */
export const numbers = defineModel({ table: 'numbers', columns: { id: bigint().notNull(), note: text() } })
