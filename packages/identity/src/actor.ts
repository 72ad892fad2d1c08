// Who is asking, what they want to do, to what, and in which circumstances: the four arguments of every decision.
import type {
  BreakGlassId,
  ConnectorId,
  Label,
  MailboxId,
  Purpose,
  RecordingId,
  RelationKind,
  Role,
  Scope,
  TenantId,
  TokenId,
  UserId,
} from '@auricle/contract'

/** How a mailbox is somebody's; `until` is exclusive, null for as long as it is not taken away. */
export interface MailboxRelation {
  readonly mailboxId: MailboxId
  readonly kind: RelationKind
  readonly until: Date | null
}

/** What the token that acts was made for, and when its person last showed a second factor. */
export interface TokenFacts {
  /** `session`: a person who signed in. `personal` and `service`: a program, within its scopes. */
  readonly kind: 'session' | 'personal' | 'service'
  /** Null for a session, which may do whatever its person may. */
  readonly scopes: readonly Scope[] | null
  readonly verifiedAt: Date | null
}

export interface UserActor {
  readonly type: 'user'
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly tokenId: TokenId
  /** Those in force now. */
  readonly roles: readonly Role[]
  readonly mailboxes: readonly MailboxRelation[]
  /** Emergency access that was opened and not ended; `until` is exclusive. */
  readonly breakGlass: { readonly id: BreakGlassId; readonly until: Date } | null
  readonly token: TokenFacts
}

export type Actor =
  | UserActor
  | { readonly type: 'connector'; readonly tenantId: TenantId; readonly connectorId: ConnectorId }
  /** The vault's own background work, or the person at the machine's console, who reads no audio. */
  | { readonly type: 'system'; readonly name: 'worker' | 'operator' }

export type RecordingAction =
  | 'recording.show'
  | 'recording.play'
  | 'recording.export'
  | 'recording.mark'
  | 'recording.label'
  /** Takes a label off. */
  | 'recording.unlabel'

/** Actions on the tenant as a whole, or on something of it that no relation protects. */
export type TenantAction =
  | 'recording.list'
  | 'people.read'
  | 'people.manage'
  | 'role.request'
  | 'role.revoke'
  | 'recertification.read'
  | 'mailbox.manage'
  | 'machine.read'
  | 'machine.manage'
  | 'tenant.read'
  | 'tenant.manage'
  | 'provider.read'
  | 'provider.manage'
  | 'emergency_code.issue'
  | 'break_glass.start'
  | 'alert.read'
  | 'alert.acknowledge'
  | 'audit.read'
  | 'audit.export'
  | 'audit.follow'
  | 'audit.drop_private'
  | 'disclosure.read'
  | 'disclosure.record'
  | 'disclosure.suspend'
  | 'review.read'
  | 'review.sign'
  /** Rules and settings, of which nothing is about a patient. */
  | 'rule.read'
  | 'retention.read'
  | 'retention.manage'
  | 'retention.approve'
  | 'record_set.decide'
  | 'hold.read'
  | 'hold.manage'
  | 'disposition.read'
  | 'disposition.propose'
  | 'disposition.review'
  | 'report.schedule'

/** `self.*` concern only the one who asks: `self.read` and `self.end` any token, `self.manage` a session. */
export type SelfAction = 'self.read' | 'self.end' | 'self.manage' | 'self.verify' | 'self.secure'

export type Action =
  | RecordingAction
  | TenantAction
  | SelfAction
  | 'role.decide'
  | 'role.withdraw'
  | 'break_glass.read'
  | 'break_glass.review'
  | 'delegation.create'
  | 'delegation.end'

export type Resource =
  | { readonly type: 'tenant'; readonly tenantId: TenantId }
  | {
      readonly type: 'recording'
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly mailboxId: MailboxId | null
      readonly labels: readonly Label[]
    }
  /** A request that somebody be given a role. */
  | {
      readonly type: 'role_request'
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly requestedBy: UserId
    }
  /** Emergency access of somebody. */
  | { readonly type: 'break_glass'; readonly tenantId: TenantId; readonly userId: UserId }
  | {
      readonly type: 'mailbox'
      readonly tenantId: TenantId
      readonly mailboxId: MailboxId
      /** Who would come to hear it; none where it is only taken away. */
      readonly receiverId?: UserId
    }
  /** Mailboxes, teams or emergency codes given to people, who come to hear more by it. */
  | { readonly type: 'membership'; readonly tenantId: TenantId; readonly receiverIds: readonly UserId[] }

export interface Circumstances {
  readonly now: Date
  /** As stated with the request; null where none was. */
  readonly purpose: Purpose | null
}

/** `reasons` are stable words for the log and for people, most decisive first; never empty. */
export interface Decision {
  readonly allowed: boolean
  readonly reasons: readonly string[]
}

export type Decide = (
  actor: Actor,
  action: Action,
  resource: Resource,
  circumstances: Circumstances,
) => Decision
