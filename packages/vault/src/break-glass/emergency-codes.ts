// Emergency codes of a person: issued by a compliance officer to be kept in a sealed envelope, listed, revoked.
import type { Catalog, EmergencyCodeRow } from '@auricle/catalog'
import {
  type EmergencyCodeId,
  type EmergencyCodeList,
  type EmergencyCodeRequest,
  type EmergencyCodes,
  newEmergencyCodeId,
  type UserId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendOrRefuse } from '../access-event.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'

export type EmergencyCodeParts = AuthorizeParts & {
  readonly catalog: Pick<
    Catalog,
    'findEmergencyHolder' | 'addEmergencyCodes' | 'listEmergencyCodes' | 'revokeEmergencyCode'
  >
  readonly newCode: () => { readonly text: string; readonly hash: Uint8Array }
}

const dayMs = 24 * 60 * 60_000

const objectOf = (id: EmergencyCodeId | UserId) =>
  ({ type: id.startsWith('usr_') ? 'user' : 'emergency_code', id, version: null }) as const

/**
 * The texts are in this answer and nowhere else. Throws `conflict` where the person has no authenticator app, without
 * which a code opens nothing.
 */
export async function issueEmergencyCodes(
  parts: EmergencyCodeParts,
  facts: RequestFacts,
  userId: UserId,
  { count, validDays }: EmergencyCodeRequest,
  options: CallOptions,
): Promise<EmergencyCodes> {
  const { tenantId } = facts.actor
  const holder = await parts.catalog.findEmergencyHolder(tenantId, userId, options)
  if (holder === null) throw new VaultError('not_found', 'There is no such person')
  const resource = { type: 'membership', tenantId, receiverIds: [userId] } as const
  const asked = { action: 'emergency_code.issue', resource, log: 'emergency_code.issued' } as const
  const { now, record } = await authorize(parts, facts, { ...asked, object: objectOf(userId) }, options)
  if (holder.kind !== 'person' || holder.isDisabled)
    throw new VaultError('conflict', 'Emergency codes are for people who may sign in')
  if (!holder.hasTotp)
    throw new VaultError(
      'conflict',
      'This person has no authenticator app registered here: register one first, since an emergency code alone opens nothing',
    )
  const issued = await Promise.all(
    Array.from({ length: count }, async () => {
      const { text, hash } = parts.newCode()
      const id = newEmergencyCodeId()
      const expiresAt = new Date(now.getTime() + validDays * dayMs)
      const row = { id, tenantId, userId, issuedBy: facts.actor.userId, createdAt: now, expiresAt }
      return { text, hash, row, event: await record(objectOf(id)) }
    }),
  )
  await parts.catalog.addEmergencyCodes(issued, options)
  return {
    codes: issued.map(({ text, row }) => ({
      id: row.id,
      code: text,
      expiresAt: row.expiresAt.toISOString(),
    })),
  }
}

/** Newest first, without their texts, which nobody has. */
export async function listEmergencyCodes(
  parts: EmergencyCodeParts,
  facts: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<EmergencyCodeList> {
  const { actor, purposeOfUse: purpose } = facts
  const { tenantId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  if ((await parts.catalog.findEmergencyHolder(tenantId, userId, options)) === null)
    throw new VaultError('not_found', 'There is no such person')
  const decision = parts.decide(actor, 'people.read', { type: 'tenant', tenantId }, { now, purpose })
  await appendOrRefuse({ ...parts, secrets }, facts, 'people.listed', objectOf(userId), decision, options)
  const rows = await parts.catalog.listEmergencyCodes(tenantId, userId, options)
  return { codes: rows.map(viewOf) }
}

/** Throws `conflict` where it was used or revoked before. */
export async function revokeEmergencyCode(
  parts: EmergencyCodeParts,
  facts: RequestFacts,
  { userId, id }: { readonly userId: UserId; readonly id: EmergencyCodeId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const known = await parts.catalog.listEmergencyCodes(tenantId, userId, options)
  if (!known.some(code => code.id === id))
    throw new VaultError('not_found', 'This person has no such emergency code')
  const { now, record } = await authorize(
    parts,
    facts,
    { action: 'emergency_code.issue', log: 'emergency_code.revoked', object: objectOf(id) },
    options,
  )
  const revocation = { tenantId, userId, id, at: now }
  if (!(await parts.catalog.revokeEmergencyCode(revocation, await record(), options)))
    throw new VaultError('conflict', 'The code was used or revoked before')
}

function viewOf({ id, issuedBy, createdAt, expiresAt, usedAt, revokedAt }: EmergencyCodeRow) {
  return {
    id,
    issuedBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    usedAt: usedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  }
}
