// What an order is: the other examples import it.
import { bigint, defineModel, numeric, text, timestamptz } from 'lading'

export default defineModel({
  table: 'orders',
  columns: {
    id: bigint().notNull(),
    customer: text().notNull().from('Customer Name'),
    net: numeric(12, 2).notNull(),
    tax: numeric(12, 2).notNull(),
    placed_at: timestamptz({ zone: 'Europe/Berlin' }).notNull(),
    gross: numeric(12, 2).notNull(),
  },
  derive: { gross: ({ net, tax }) => (Number(net) + Number(tax)).toFixed(2) },
  validate: ({ net, tax }) =>
    Number(tax) <= Number(net) || { reason: 'the tax is larger than what it is of', column: 'tax' },
  primaryKey: ['id'],
  onConflict: 'update',
})
