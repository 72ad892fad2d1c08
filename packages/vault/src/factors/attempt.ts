// What somebody was asked and has to answer within minutes: a challenge, or a secret that they still have to prove.
import type { Catalog } from '@auricle/catalog'
import { type AttemptId, newAttemptId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { z } from 'zod'
import type { TenantSecrets } from '../tenant-secrets.ts'

export type AttemptKind =
  | 'passkey_sign_in'
  | 'passkey_step_up'
  | 'passkey_registration'
  | 'totp_enrolment'
  | 'invitation'

/** For everything but passkeys, whose challenges bring their own end: time enough to install an app. */
export const attemptMs = 15 * 60_000

export interface NewAttempt {
  readonly kind: AttemptKind
  readonly userId: UserId | null
  /** What the answer is checked against, as JSON; kept sealed. */
  readonly data: unknown
  readonly now: Date
  readonly expiresAt: Date
}

export async function openAttempt(
  catalog: Pick<Catalog, 'addAttempt'>,
  { tenant, columns }: TenantSecrets,
  { kind, userId, data, now, expiresAt }: NewAttempt,
  options: CallOptions,
): Promise<AttemptId> {
  const id = newAttemptId()
  const attempt = { tenantId: tenant.id, id, kind, userId, createdAt: now, expiresAt }
  await catalog.addAttempt({ ...attempt, data: JSON.stringify(data) }, columns, options)
  return id
}

/** What was kept; null where it is no attempt of that kind, is over, or was answered. It is left to be spent. */
export async function readAttempt<Schema extends z.ZodType>(
  catalog: Pick<Catalog, 'findAttempt'>,
  { tenant, columns }: TenantSecrets,
  answer: { readonly id: AttemptId; readonly kind: AttemptKind; readonly now: Date },
  schema: Schema,
  options: CallOptions,
): Promise<{ readonly userId: UserId | null; readonly data: z.output<Schema> } | null> {
  const found = await catalog.findAttempt({ ...answer, tenantId: tenant.id }, columns, options)
  if (found === null) return null
  return { userId: found.userId, data: schema.parse(JSON.parse(found.data)) }
}
