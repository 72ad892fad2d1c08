// What the API answers about the one who asks.
import { MailboxId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'

export const Me = z.strictObject({
  tenant: TenantId,
  user: UserId,
  roles: z.array(z.string()),
  /** The mailboxes they own. */
  mailboxes: z.array(MailboxId),
})

export const MailboxList = z.strictObject({
  mailboxes: z.array(z.strictObject({ id: MailboxId, address: z.string(), name: z.string() })),
})

export const Health = z.strictObject({
  status: z.string(),
  /** What the service waits for, with a stable word for why. */
  missing: z.array(z.strictObject({ name: z.string(), code: z.string() })).optional(),
})
