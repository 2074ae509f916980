/** Logins of app users: one JSON object each. The address and the device are personal data. */
import { date, integer, text, timestamptz, varchar } from '../columns.ts'
import type { Mask } from '../mask.ts'
import { btree, defineModel } from '../model.ts'
import { requireUse } from '../signatures.ts'

/** The mask of the personal columns, and the zone of the day of creation. */
export interface UserLoginsOptions {
  /** For the columns masked_ip and masked_device_id. */
  readonly mask: Mask
  /** The time zone of create_date, an IANA name; default UTC. */
  readonly zone?: string
}

/** The model `user_logins`. */
export function userLogins(...given: [options: UserLoginsOptions]) {
  requireUse('userLogins', given)
  const [{ mask, zone = 'UTC' }] = given
  return defineModel({
    table: 'user_logins',
    columns: {
      event_id: text().notNull().generated('recordKey'),
      user_id: varchar(128).notNull(),
      device_type: varchar(32).notNull(),
      masked_ip: varchar(256).notNull().from('ip').mask(mask),
      masked_device_id: varchar(256).notNull().from('device_id').mask(mask),
      locale: varchar(32),
      app_version: integer().notNull().transform(majorOf),
      app_version_full: text().notNull().from('app_version'),
      create_date: date().notNull().generated('processedOn', { zone }),
      received_at: timestamptz().notNull().generated('processedAt'),
    },
    primaryKey: ['event_id'],
    indexes: [btree('user_id'), btree('create_date')],
    onConflict: 'skip',
  })
}

/**
 * The first number of a version such as `2.3.0`, `2.3-beta.1` or `2`; text that is not a number otherwise.
 */
const majorOf = (version: string): string =>
  /^(\d+)(?:\.\d+)*(?:[-+][\w.+-]+)?$/.exec(version)?.[1] ?? `version ${version}`
