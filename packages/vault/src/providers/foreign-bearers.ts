// Bearer tokens that a tenant's own issuer signed: whose they are here, and the row that makes each one of our tokens.
//
// Such a token is verified by its signature, and from then on is a row like every other: made when it is shown for the
// first time, over when the token is, ended when somebody revokes it, when its subject is changed or removed, or when the
// issuer is disabled. What is asked of a token on every request is so asked of the row, in one place.
import { createHash } from 'node:crypto'
import { newPrivatePart } from '@auricle/audit'
import type { Catalog, IssuerRow, TokenRow } from '@auricle/catalog'
import { Scope, type TenantId, TokenId } from '@auricle/contract'
import type { BearerClaims, Claimed, ForeignBearer, IssuerVerifier } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { derivedId } from '../derived-id.ts'
import { isError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { SignInFacts } from '../sign-in.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { type OpenIssuerVerifier, verifierSettings } from './manage-issuers.ts'

export interface ForeignBearersParts {
  readonly catalog: Pick<Catalog, 'issuersOf' | 'findIssuer' | 'findIssuerSubject' | 'addForeignToken'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly openVerifier: OpenIssuerVerifier
  /** Whether one more refusal from there may be written down, so that nobody fills the log by guessing. */
  readonly mayNote: (ip: string | null, options: CallOptions) => Promise<boolean>
  readonly now?: () => Date
}

export interface ForeignBearers {
  /**
   * Null where the token is of no issuer that any tenant takes tokens of, or of a subject that nobody named. Throws as the
   * verifier does: `bad_token`, `provider_unavailable`. Whether the row still holds is for the catalog to say.
   */
  claimsOf(
    token: string,
    claimed: Claimed,
    facts: SignInFacts,
    options: CallOptions,
  ): Promise<BearerClaims | null>
}

/** Within this, a subject's new scopes are noticed; what ends a token ends its row, at once. */
const keptMs = 30_000
const tokensMost = 1024
const verifiersMost = 64

export function createForeignBearers(parts: ForeignBearersParts): ForeignBearers {
  const tokens = new Map<string, { readonly until: number; readonly claims: BearerClaims }>()
  const verifiers = new Map<string, IssuerVerifier>()
  const now = () => parts.now?.() ?? new Date()

  /** Kept while the rows stay what they are, since it holds the issuers' keys. */
  function verifierOf(rows: readonly IssuerRow[]): IssuerVerifier {
    const settings = rows.map(verifierSettings)
    const digest = JSON.stringify(settings)
    const verifier = verifiers.get(digest) ?? parts.openVerifier(settings)
    keep(verifiers, digest, verifier, verifiersMost)
    return verifier
  }

  async function rowsOf(claimed: Claimed, options: CallOptions): Promise<readonly IssuerRow[]> {
    const found = await parts.catalog.issuersOf(claimed, options)
    const rows = await Promise.all(
      found.map(({ tenantId, id }) => parts.catalog.findIssuer(tenantId, id, options)),
    )
    return rows.filter(row => row !== null)
  }

  return {
    async claimsOf(token, claimed, facts, options) {
      const digest = createHash('sha256').update(token).digest('base64')
      const at = now()
      const known = tokens.get(digest)
      if (known !== undefined && known.until > at.getTime()) return known.claims
      const rows = await rowsOf(claimed, options)
      if (rows.length === 0) return null
      const bearer = await verifierOf(rows)
        .verify(token, options)
        .catch(async error => {
          if (isError(error, 'IdentityError', 'bad_token'))
            await noteRefusal(parts, rows, 'bad_token', facts, options)
          throw error
        })
      const row = rows.find(({ id }) => id === bearer.issuerId)
      const claims = row === undefined ? null : await admit(parts, row, bearer, { at, facts, options })
      if (claims === null) {
        await noteRefusal(parts, row === undefined ? [] : [row], 'unknown_subject', facts, options)
        return null
      }
      const until = Math.min(at.getTime() + keptMs, bearer.expiresAt.getTime())
      keep(tokens, digest, { until, claims }, tokensMost)
      return claims
    },
  }
}

function keep<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value, most: number): void {
  kept.delete(key)
  kept.set(key, value)
  const [oldest] = kept.keys()
  if (kept.size > most && oldest !== undefined) kept.delete(oldest)
}

interface Shown {
  readonly at: Date
  readonly facts: SignInFacts
  readonly options: CallOptions
}

async function admit(
  { catalog, secrets }: ForeignBearersParts,
  { tenantId, id: issuerId }: IssuerRow,
  bearer: ForeignBearer,
  { at, facts, options }: Shown,
): Promise<BearerClaims | null> {
  const found = await catalog.findIssuerSubject({ tenantId, issuerId, subject: bearer.subject }, options)
  if (found === null) return null
  const { userId } = found
  const scopes = Scope.options.filter(scope => found.scopes.includes(scope) && bearer.scopes.includes(scope))
  const id = tokenIdOf(bearer, userId, scopes)
  const token: TokenRow = {
    id,
    tenantId,
    userId,
    purpose: found.kind === 'service' ? 'service' : 'personal',
    createdAt: at,
    expiresAt: bearer.expiresAt,
    idleMs: null,
    scopes,
    name: null,
    secretHash: null,
    factors: [],
    verifiedAt: null,
  }
  const event = await auditRecord(
    {
      tenantId,
      action: 'token.issued',
      outcome: 'allowed',
      actor: { type: 'vouching', id: issuerId },
      object: { type: 'token', id, version: null },
      reasons: ['token_issuer'],
      request: facts.request,
    },
    await privateFacts(secrets, tenantId, facts, options),
    at,
  )
  await catalog.addForeignToken({ ...token, issuerId, subject: bearer.subject }, event, options)
  return { tenantId, userId, tokenId: id, purpose: 'program', secretHash: null }
}

/** The same token, however it is spelled, is the same row; what the row may do is part of which row it is. */
function tokenIdOf(
  { issuerId, subject, jti, expiresAt }: ForeignBearer,
  userId: string,
  scopes: readonly string[],
): TokenId {
  const parts = [issuerId, subject, jti ?? '', expiresAt.toISOString(), userId, ...scopes]
  return TokenId.parse(`tok_${derivedId('token of an issuer', parts)}`)
}

/** In the log of the tenant that it was meant for; where several could be, nobody knows whose it was. */
async function noteRefusal(
  parts: ForeignBearersParts,
  rows: readonly IssuerRow[],
  reason: string,
  facts: SignInFacts,
  options: CallOptions,
): Promise<void> {
  const [row, ...others] = rows
  if (row === undefined || others.length > 0) return
  if (!(await parts.mayNote(facts.ip, options))) return
  const { tenantId, id } = row
  const event = await auditRecord(
    {
      tenantId,
      action: 'token.refused',
      outcome: 'denied',
      actor: { type: 'vouching', id },
      object: { type: 'issuer', id, version: null },
      reasons: [reason],
      request: facts.request,
    },
    await privateFacts(parts.secrets, tenantId, facts, options),
  )
  await parts.log.append(event, options)
}

async function privateFacts(
  secrets: TenantSecretsCache,
  tenantId: TenantId,
  { ip, userAgent }: SignInFacts,
  options: CallOptions,
) {
  const { privateParts } = await secrets.get(tenantId, options)
  return { part: newPrivatePart({ ip, userAgent }), key: privateParts }
}
