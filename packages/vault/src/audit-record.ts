// Makes the audit record of what is about to happen: the event, and its private part sealed beside it.
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import {
  type AuditEvent,
  type AuditRecord,
  commitPrivate,
  type EventDetail,
  encodePrivate,
  newRecord,
  type PrivatePart,
} from '@auricle/audit'
import {
  type EventId,
  type IssuerId,
  newEventId,
  type PatientId,
  type ProviderId,
  type Purpose,
  type TenantId,
  type TokenId,
  type UserId,
} from '@auricle/contract'
import type { Actor } from '@auricle/identity'

/** Somebody known by id who has no session (yet): a person signing in. */
export interface Person {
  readonly type: 'person'
  readonly userId: UserId
  readonly tokenId: TokenId | null
}

/** Somebody of whom no more is known than who says that they come: a provider of identity, or an issuer of tokens. */
export interface Vouching {
  readonly type: 'vouching'
  readonly id: ProviderId | IssuerId
}

/** A part of the vault that acts for nobody in particular. */
export interface VaultPart {
  readonly type: 'part'
  readonly name: 'vault'
}

/** What a use case says of an event; the rest is filled in here. */
export interface EventFacts {
  readonly tenantId: TenantId
  readonly action: AuditEvent['action']
  readonly outcome: AuditEvent['outcome']
  readonly actor: Actor | Person | Vouching | VaultPart
  readonly object: AuditEvent['object']
  readonly reasons?: readonly string[]
  /** What a recording is heard for, where that was stated. */
  readonly purpose?: Purpose | null | undefined
  /** Whom it is about; none and absent are the same. */
  readonly patients?: readonly PatientId[] | undefined
  readonly detail?: EventDetail | undefined
  readonly request: string | null
}

/** What may identify somebody, with the key to seal it. */
export interface PrivateFacts {
  readonly part: PrivatePart
  readonly key: KeyObject
}

const saltBytes = 16
const ivBytes = 12
const tagBytes = 16
const version = 1

export async function auditRecord(
  facts: EventFacts,
  secret: PrivateFacts | null,
  now: Date = new Date(),
): Promise<AuditRecord> {
  const id = newEventId()
  const salt = secret === null ? null : randomBytes(saltBytes)
  const event: AuditRecord['event'] = {
    v: 1,
    id,
    tenant: facts.tenantId,
    at: now.toISOString(),
    action: facts.action,
    outcome: facts.outcome,
    actor: auditActor(facts.actor),
    object: facts.object,
    reasons: [...(facts.reasons ?? [])],
    ...(facts.purpose == null ? {} : { purpose: facts.purpose }),
    ...(facts.patients === undefined || facts.patients.length === 0 ? {} : { patients: [...facts.patients] }),
    ...(facts.detail === undefined ? {} : { detail: facts.detail }),
    request: facts.request,
    private: secret === null || salt === null ? null : await commitPrivate(secret.part, salt),
  }
  const sealedPrivate =
    secret === null || salt === null ? null : sealPrivate(secret.key, id, encodePrivate(secret.part, salt))
  return newRecord(event, sealedPrivate)
}

function auditActor(actor: EventFacts['actor']): AuditEvent['actor'] {
  switch (actor.type) {
    case 'user':
    case 'person':
      return { type: 'user', id: actor.userId, session: actor.tokenId }
    case 'connector':
      return { type: 'connector', id: actor.connectorId, session: null }
    case 'system':
    case 'part':
      return { type: 'system', id: actor.name, session: null }
    case 'vouching':
      return { type: 'system', id: actor.id, session: null }
    default:
      return actor satisfies never
  }
}

/** u8 version (1) || 12-byte IV || AES-256-GCM ciphertext || 16-byte tag; the event's id is the AAD. */
function sealPrivate(key: KeyObject, id: EventId, plaintext: Uint8Array): Uint8Array {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id))
  return Buffer.concat([
    Uint8Array.of(version),
    iv,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

/** Salt and private part of a record, as `encodePrivate` made them. Throws where it was altered or moved. */
export function openPrivate(key: KeyObject, id: EventId, sealed: Uint8Array): Uint8Array {
  const iv = sealed.subarray(1, 1 + ivBytes)
  const tag = sealed.subarray(sealed.length - tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(id)).setAuthTag(tag)
  return Buffer.concat([
    decipher.update(sealed.subarray(1 + ivBytes, sealed.length - tagBytes)),
    decipher.final(),
  ])
}
