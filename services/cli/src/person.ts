// Who the person at the keyboard is: the bearer token of AURICLE_TOKEN, or of the session that `auricle login` kept.
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { Authority } from '@auricle/api-service'
import { actorOf, isSameSecret, type RequestFacts } from '@auricle/vault'
import { UsageError } from './error.ts'
import type { Operator } from './operator.ts'

const ownerOnlyFile = 0o600
const ownerOnlyFolder = 0o700

/** Where the session of `auricle login` lies. */
export function sessionFile(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CONFIG_HOME']
  return join(
    base !== undefined && isAbsolute(base) ? base : join(homedir(), '.config'),
    'auricle',
    'session',
  )
}

export async function keepSession(file: string, token: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: ownerOnlyFolder })
  await writeFile(file, `${token}\n`, { mode: ownerOnlyFile })
  // The mode above counts for a new file only.
  await chmod(file, ownerOnlyFile)
}

export async function dropSession(file: string): Promise<void> {
  await rm(file, { force: true })
}

async function readSession(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** The person, and the token they came with. */
export interface CommandPerson extends RequestFacts {
  /** Of an opaque token; null for one that is signed. */
  readonly secretHash: Uint8Array | null
}

export async function findPerson(
  operator: Operator,
  { verifyToken }: Pick<Authority, 'verifyToken'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CommandPerson> {
  const token = env['AURICLE_TOKEN'] ?? (await readSession(sessionFile(env)))
  if (token === null) throw new UsageError('Sign in first with `auricle login`, or set AURICLE_TOKEN')
  const claims = await verifyToken(token).catch((cause: unknown) => {
    throw new UsageError('The token is not valid here (any more): sign in again with `auricle login`', {
      cause,
    })
  })
  const { tenantId, tokenId, secretHash } = claims
  const bearer = await operator.catalog.findBearer(tenantId, tokenId, new Date(), operator)
  if (bearer === null || !isSameSecret(bearer.token.secretHash, secretHash))
    throw new UsageError('The session has ended: sign in again with `auricle login`')
  return {
    actor: actorOf({ tenantId, userId: bearer.user.id, tokenId, ...bearer }),
    secretHash,
    purposeOfUse: null,
    request: randomUUID(),
    ip: null,
    userAgent: 'auricle command',
  }
}
