// What every request asks of its person and token, as the look-ups return it.
import { BreakGlassId, MailboxId, RelationKind, Scope } from '@auricle/contract'
import { z } from 'zod'
import type { AccessFacts, HeldToken } from './catalog.ts'
import { bytes, orNull, parsed, parsedOrNull, type Row, texts, time } from './row.ts'

export const TokenPurpose = z.enum(['session', 'personal', 'service'])
export const Scopes = z.array(Scope)

const Relations = z.array(
  z.strictObject({
    mailboxId: MailboxId,
    kind: RelationKind,
    until: z.iso
      .datetime({ offset: true })
      .transform(text => new Date(text))
      .nullable(),
  }),
)

export function readAccess(row: Row): AccessFacts {
  const id = parsedOrNull(row, 'break_glass_id', BreakGlassId)
  return {
    roles: texts(row, 'roles'),
    mailboxes: parsed(row, 'relations', Relations),
    breakGlass: id === null ? null : { id, until: time(row, 'break_glass_until') },
  }
}

export function readHeldToken(row: Row): HeldToken {
  return {
    kind: parsed(row, 'purpose', TokenPurpose),
    scopes: parsedOrNull(row, 'scopes', Scopes),
    secretHash: orNull(row, 'secret_hash', bytes),
    verifiedAt: orNull(row, 'verified_at', time),
  }
}
