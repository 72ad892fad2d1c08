// Who is asking, what they want to do, and to what: the three arguments of every decision.
import type { ConnectorId, MailboxId, RecordingId, TenantId, TokenId, UserId } from '@auricle/contract'

/** `clinician` hears the mailboxes they own; `administrator` manages people and machines and hears nothing. */
export type Role = 'clinician' | 'administrator'

export type Actor =
  | {
      readonly type: 'user'
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly tokenId: TokenId
      readonly roles: readonly Role[]
      readonly mailboxIds: readonly MailboxId[]
    }
  | { readonly type: 'connector'; readonly tenantId: TenantId; readonly connectorId: ConnectorId }
  /** The vault's own background work, or the person at the machine's console, who reads no audio. */
  | { readonly type: 'system'; readonly name: 'worker' | 'operator' }

export type Action =
  | 'recording.list'
  | 'recording.show'
  | 'recording.play'
  | 'recording.export'
  | 'recording.mark'

export type Resource =
  | { readonly type: 'tenant'; readonly tenantId: TenantId }
  | {
      readonly type: 'recording'
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly mailboxId: MailboxId | null
    }

/** `reasons` are stable words for the log and for people, most decisive first; never empty. */
export interface Decision {
  readonly allowed: boolean
  readonly reasons: readonly string[]
}

export type Decide = (actor: Actor, action: Action, resource: Resource) => Decision
