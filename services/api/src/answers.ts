// What the API answers about the one who asks.
import { BreakGlassId, MailboxId, Scope, TenantId, UserId } from '@auricle/contract'
import { freshMs, type UserActor } from '@auricle/identity'
import { z } from 'zod'

export const Me = z.strictObject({
  tenant: TenantId,
  user: UserId,
  roles: z.array(z.string()),
  /** The mailboxes they own. */
  mailboxes: z.array(MailboxId),
  /** Their emergency access, while it is open. */
  breakGlass: z.strictObject({ id: BreakGlassId, until: z.iso.datetime() }).nullable(),
  token: z.strictObject({
    kind: z.enum(['session', 'personal', 'service']),
    /** Until when their second factor counts as fresh; null where it does not, or for a program. */
    verifiedFreshUntil: z.iso.datetime().nullable(),
    /** Null for a session, which may do whatever its person may. */
    scopes: z.array(Scope).readonly().nullable(),
  }),
})

export function meOf(actor: UserActor, now: Date): z.infer<typeof Me> {
  const { tenantId, userId, roles, mailboxes, breakGlass, token } = actor
  const verifiedMs = token.kind === 'session' ? token.verifiedAt?.getTime() : undefined
  const freshUntil = verifiedMs === undefined ? null : new Date(verifiedMs + freshMs)
  return {
    tenant: tenantId,
    user: userId,
    roles: [...roles],
    mailboxes: [...new Set(mailboxes.map(({ mailboxId }) => mailboxId))],
    breakGlass: breakGlass === null ? null : { id: breakGlass.id, until: breakGlass.until.toISOString() },
    token: {
      kind: token.kind,
      verifiedFreshUntil: freshUntil === null || freshUntil <= now ? null : freshUntil.toISOString(),
      scopes: token.scopes,
    },
  }
}

export const MailboxList = z.strictObject({
  mailboxes: z.array(z.strictObject({ id: MailboxId, address: z.string(), name: z.string() })),
})

export const Health = z.strictObject({
  status: z.string(),
  /** What the service waits for, with a stable word for why. */
  missing: z.array(z.strictObject({ name: z.string(), code: z.string() })).optional(),
})
