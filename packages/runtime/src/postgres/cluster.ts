// The database cluster on disk: made once, whole or not at all; its roles, its database and their passwords.
import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Binaries } from './binaries.ts'
import { runProgram } from './child.ts'
import { readIfPresent, renameDurably, secretFileMode, writeDurably } from './durable.ts'
import { PostgresError } from './error.ts'
import { makeFolder, type Place } from './place.ts'

/** Roles of the embedded server, and the database they meet in. */
export const roles = {
  superuser: 'auricle_superuser',
  owner: 'auricle_owner',
  app: 'auricle_app',
  monitor: 'auricle_monitor',
} as const
export const databaseName = 'auricle'

const Password = z.string().regex(/^[\w-]{20,}$/)
/** Without a monitor's where the cluster was made before there was one, and has not been started since. */
const Passwords = z.strictObject({
  superuser: Password,
  owner: Password,
  app: Password,
  monitor: Password.nullable().default(null),
})
export type Passwords = z.infer<typeof Passwords>

const passwordBytes = 24
const privateMode = 0o700

const bound = 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION'

const roleStatements = [
  `CREATE ROLE ${roles.owner} ${bound}`,
  `CREATE ROLE ${roles.app} ${bound}`,
  `CREATE ROLE ${roles.monitor} ${bound}`,
  `CREATE DATABASE ${databaseName} OWNER ${roles.owner}`,
  `REVOKE ALL ON DATABASE ${databaseName} FROM PUBLIC`,
  `GRANT CONNECT ON DATABASE ${databaseName} TO ${roles.app}, ${roles.monitor}`,
  'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC',
  'REVOKE CONNECT ON DATABASE template1 FROM PUBLIC',
]

/** For a cluster that was made before there was a monitor. */
const monitorStatements = [
  // An error would end the server, also one that is caught.
  `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${roles.monitor}') THEN CREATE ROLE ${roles.monitor} ${bound}; END IF; END $$`,
  `GRANT CONNECT ON DATABASE ${databaseName} TO ${roles.monitor}`,
]

const passwordStatements = (passwords: Passwords): readonly string[] => [
  `ALTER ROLE ${roles.superuser} PASSWORD '${passwords.superuser}'`,
  `ALTER ROLE ${roles.owner} PASSWORD '${passwords.owner}'`,
  `ALTER ROLE ${roles.app} PASSWORD '${passwords.app}'`,
  `ALTER ROLE ${roles.monitor} PASSWORD '${passwords.monitor}'`,
]

interface Options {
  readonly random?: ((byteLength: number) => Buffer) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes the cluster if there is none and returns its passwords. Commit point: the rename of the finished folder; what
 * an interrupted attempt left is removed first. A lost password file is made anew. Nobody may run the cluster meanwhile.
 */
export async function prepareCluster(
  place: Place,
  binaries: Binaries,
  { random = randomBytes, signal }: Options = {},
): Promise<Passwords> {
  const kept = await readPasswords(place)
  const version = await readIfPresent(path.join(place.dataFolder, 'PG_VERSION'))
  if (version !== null) {
    await checkVersion(place, binaries, version.trim())
    if (kept !== null && kept.monitor !== null) return kept
  }
  const fresh = newPasswords(random)
  const passwords = kept === null ? fresh : { ...kept, monitor: kept.monitor ?? fresh.monitor }
  if (version === null) await createCluster(place, binaries, passwords, signal)
  else {
    const statements = [...monitorStatements, ...passwordStatements(passwords)]
    await runStatements(place, binaries, place.dataFolder, statements, signal)
  }
  await writeDurably(place.passwordFile, JSON.stringify(passwords), secretFileMode)
  return passwords
}

async function createCluster(
  place: Place,
  binaries: Binaries,
  passwords: Passwords,
  signal: AbortSignal | undefined,
): Promise<void> {
  const draft = `${place.dataFolder}.new`
  await rm(draft, { recursive: true, force: true })
  await makeFolder(draft, privateMode, place.account)
  const { code, errors } = await runProgram(
    { file: binaries.initdb, arguments: initdbArguments(draft), account: place.account },
    '',
    signal,
  )
  if (code !== 0) throw startFailure('PostgreSQL could not make its data folder', errors)
  await runStatements(place, binaries, draft, [...roleStatements, ...passwordStatements(passwords)], signal)
  await renameDurably(draft, place.dataFolder)
}

const initdbArguments = (folder: string): readonly string[] => [
  `--pgdata=${folder}`,
  `--username=${roles.superuser}`,
  '--auth=reject',
  '--data-checksums',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
]

/**
 * Runs statements in PostgreSQL's single-user mode, which needs neither a password nor a socket. Each goes through
 * standard input, so that no password appears in a list of processes.
 */
async function runStatements(
  place: Place,
  binaries: Binaries,
  dataFolder: string,
  statements: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const quiet = [
    '-c',
    'log_min_error_statement=panic',
    '-c',
    'log_min_messages=error',
    '-c',
    'exit_on_error=on',
  ]
  const { code, errors } = await runProgram(
    {
      file: binaries.postgres,
      arguments: ['--single', '-j', '-D', dataFolder, ...quiet, 'postgres'],
      account: place.account,
    },
    statements.map(statement => `${statement};\n\n`).join(''),
    signal,
  )
  if (code !== 0) throw startFailure('PostgreSQL could not make its roles', errors)
}

/** Null where none were made yet. */
export async function readPasswords(place: Place): Promise<Passwords | null> {
  const text = await readIfPresent(place.passwordFile)
  if (text === null) return null
  const parsed = Passwords.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new PostgresError(
    'unusable',
    `${place.passwordFile} is damaged. Remove it, and new passwords will be made.`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function newPasswords(random: (byteLength: number) => Buffer): Passwords {
  const password = (): string => random(passwordBytes).toString('base64url')
  return { superuser: password(), owner: password(), app: password(), monitor: password() }
}

async function checkVersion(place: Place, binaries: Binaries, version: string): Promise<void> {
  const bootstrap = path.join(binaries.postgres, '..', '..', 'share', 'postgresql', 'postgres.bki')
  // The first line of the bootstrap file is `# PostgreSQL <major version>`.
  const [, major] = /^# PostgreSQL (\d+)/.exec(await readFile(bootstrap, 'utf8')) ?? []
  if (major === version) return
  throw new PostgresError(
    'unusable',
    `The database in ${place.folder} was made by PostgreSQL ${version}, and this is PostgreSQL ${major ?? 'of unknown version'}. ` +
      'Use the version of Auricle that made it, or move the database with pg_upgrade.',
  )
}

/** `errors` is what PostgreSQL said of its own start; it has seen no row of ours then. */
export function startFailure(sentence: string, errors: string): PostgresError {
  return new PostgresError('start_failed', errors === '' ? `${sentence}.` : `${sentence}: ${errors}`)
}
