import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { sqlSinkContract } from '../contract/sink/sink.ts'
import { openMysql } from './mysql-target.ts'

describeMariadb('MariaDB', () => {
  sqlSinkContract('MariaDB', () => openMysql())
})
