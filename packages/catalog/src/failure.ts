// What a failure of the driver or the server means, and what of it may be told: PostgreSQL's messages and details
// quote values of rows, so only names and codes of them are kept.
import { DatabaseError } from 'pg'
import { CatalogError, type CatalogErrorCode } from './error.ts'

/** The part of a database error that holds no value of any row. */
class DatabaseFault extends Error {
  override readonly name = 'DatabaseFault'
  readonly sqlState: string
  readonly table: string | null
  readonly constraint: string | null
  constructor(sqlState: string, table: string | null, constraint: string | null) {
    super(`SQLSTATE ${sqlState}${constraint === null ? '' : ` (${constraint})`}`)
    this.sqlState = sqlState
    this.table = table
    this.constraint = constraint
  }
}

interface Meaning {
  readonly code: CatalogErrorCode
  readonly message: string
}

const unavailable: Meaning = { code: 'unavailable', message: 'The database cannot answer now' }
const outdated: Meaning = { code: 'outdated_schema', message: 'The database lacks what this version expects' }

/** By SQLSTATE, or by its first two characters, the class (PostgreSQL manual, appendix A). */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['23505', { code: 'taken', message: 'There is one of that name already' }],
  ['23503', { code: 'not_found', message: 'It refers to something that is not there' }],
  ['25006', unavailable], // read-only: a standby after a failover
  ['25P03', unavailable], // idle in transaction for too long
  ['28P01', { code: 'refused', message: 'The database refused the password' }],
  ['3F000', outdated],
  ['42P01', outdated],
  ['42703', outdated],
  ['42883', outdated],
  ['0A000', unavailable], // a prepared statement outlived a migration
  ['XX001', { code: 'damaged', message: 'The database reports damaged data' }],
  ['XX002', { code: 'damaged', message: 'The database reports damaged data' }],
  ['08', unavailable],
  ['40', unavailable],
  ['53', unavailable],
  ['55', unavailable],
  ['57', unavailable],
  ['58', unavailable],
])

/** Of sockets and of the driver itself, which has no codes for them. */
const lostConnection =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end)/

/** Turns what pg threw into a `CatalogError` without values of rows. Our own errors and foreign ones pass unchanged. */
export function toCatalogError(error: unknown): unknown {
  if (error instanceof DatabaseError) {
    const state = error.code ?? 'XX000'
    const meaning = meanings.get(state) ?? meanings.get(state.slice(0, 2))
    const cause = new DatabaseFault(state, error.table ?? null, error.constraint ?? null)
    return new CatalogError(
      meaning?.code ?? 'refused',
      meaning?.message ?? 'The database refused a statement',
      { cause },
    )
  }
  if (error instanceof Error && isLostConnection(error)) {
    return new CatalogError(unavailable.code, unavailable.message, { cause: error })
  }
  return error
}

/** Whether a connection is of no use after this error. */
export function isLostConnection(error: Error): boolean {
  return lostConnection.test(error.message) || ('syscall' in error && 'code' in error)
}
