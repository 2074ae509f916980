/**
 * Six columns of personal data, each masked with a key: what costs time here is the client's own work, and
 * not the database's.
 */
import { bigint, defineModel, hmacSha256, maskKey, varchar } from '../../src/index.ts'

const mask = hmacSha256({ keys: [maskKey('k1', 'a key of the bench that masks nothing worth masking')] })
const masked = () => varchar(80).notNull().mask(mask)

export const maskedPeople = defineModel({
  table: 'people',
  columns: {
    id: bigint().notNull(),
    name: masked(),
    email: masked(),
    phone: masked(),
    address: masked(),
    device: masked(),
    ip: masked(),
  },
  primaryKey: ['id'],
  // Then no load leaves the index for its end, however large its files are.
  onConflict: 'update',
})
