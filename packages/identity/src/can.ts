// The one decision who may do what to what: pure, and no where nothing says yes.
//
// Asked in this order: is it their tenant, does the token reach that far, does a role give it, does the relation to the
// thing give it, was a second factor shown lately. The first no is the reason.
import type {
  Action,
  Circumstances,
  Decide,
  Decision,
  RecordingAction,
  Resource,
  SelfAction,
  UserActor,
} from './actor.ts'
import { canRecording } from './can-recording.ts'
import { allowed, denied } from './decision.ts'
import {
  freshMs,
  isAction,
  isRecordingAction,
  isSelfAction,
  type Rule,
  recordingRules,
  rules,
  selfRules,
} from './rules.ts'

/**
 * Reasons as they stand in the audit log. Yes: the role that gave it, `owns_mailbox`, `team_mailbox`,
 * `supervised_mailbox`, `delegated_mailbox`, `break_glass`, `purpose_<purpose>`, `own`. No: `other_tenant`,
 * `connectors_hear_nothing`, `system_hears_nothing`, `out_of_scope`, `needs_session`, `no_role`, `no_hearing_role`,
 * `no_mailbox`, `not_owner`, `label_<label>`, `purpose_required`, `authorization_required`, `own_request`,
 * `not_own_request`, `own_access`, `step_up_required`, `wrong_resource`, `unknown`.
 */
export const can: Decide = (actor, action, resource, circumstances) => {
  switch (actor.type) {
    case 'user':
      if (actor.tenantId !== resource.tenantId) return denied('other_tenant')
      return userCan(actor, action, resource, circumstances)
    case 'connector':
      return actor.tenantId === resource.tenantId
        ? denied('connectors_hear_nothing')
        : denied('other_tenant', 'connectors_hear_nothing')
    case 'system':
      return denied('system_hears_nothing')
    default:
      return never(actor)
  }
}

function userCan(
  user: UserActor,
  action: Action,
  resource: Resource,
  circumstances: Circumstances,
): Decision {
  if (isSelfAction(action)) return selfCan(user, action, resource, circumstances)
  // A value that a caller forged all the same is refused, never guessed; also one that every object has.
  if (!isAction(action)) return denied('unknown')
  const rule = isRecordingAction(action) ? recordingRules[action] : rules[action]
  const outOfReach = tokenRefuses(user, rule)
  if (outOfReach !== null) return denied(outOfReach)
  const decision = isRecordingAction(action)
    ? canRecording(user, action, resource, circumstances)
    : canOther(user, action, resource, rule, circumstances)
  if (!decision.allowed || !rule.isFresh || isFresh(user, circumstances)) return decision
  return denied('step_up_required', ...decision.reasons)
}

function selfCan(
  user: UserActor,
  action: SelfAction,
  resource: Resource,
  circumstances: Circumstances,
): Decision {
  const rule = selfRules[action]
  if (resource.type !== 'tenant') return denied('wrong_resource')
  if (!rule.byProgram && user.token.kind !== 'session') return denied('needs_session')
  return rule.isFresh && !isFresh(user, circumstances) ? denied('step_up_required', 'own') : allowed('own')
}

function canOther(
  user: UserActor,
  action: Exclude<Action, RecordingAction | SelfAction>,
  resource: Resource,
  { roles }: Rule,
  { now }: Circumstances,
): Decision {
  const role = user.roles.find(held => roles.includes(held))
  switch (action) {
    case 'role.decide':
      if (resource.type !== 'role_request') return denied('wrong_resource')
      if (role === undefined) return denied('no_role')
      if (resource.requestedBy === user.userId || resource.userId === user.userId)
        return denied('own_request')
      return allowed(role)
    case 'role.withdraw':
      if (resource.type !== 'role_request') return denied('wrong_resource')
      if (role === undefined) return denied('no_role')
      return resource.requestedBy === user.userId ? allowed('own', role) : denied('not_own_request')
    case 'break_glass.review':
      if (resource.type !== 'break_glass') return denied('wrong_resource')
      if (role === undefined) return denied('no_role')
      return resource.userId === user.userId ? denied('own_access') : allowed(role)
    case 'break_glass.read':
      if (resource.type === 'break_glass' && resource.userId === user.userId) return allowed('own')
      if (resource.type !== 'break_glass' && resource.type !== 'tenant') return denied('wrong_resource')
      return role === undefined ? denied('no_role') : allowed(role)
    case 'mailbox.manage':
    case 'emergency_code.issue':
      if (resource.type !== 'tenant' && resource.type !== 'membership') return denied('wrong_resource')
      if (role === undefined) return denied('no_role')
      // Nobody opens anything to themselves; at the machine's console there is no self.
      return resource.type === 'membership' && resource.receiverIds.includes(user.userId)
        ? denied('own_access')
        : allowed(role)
    case 'delegation.create':
    case 'delegation.end':
      return canDelegate(user, resource, now)
    case 'recording.list':
      if (resource.type !== 'tenant') return denied('wrong_resource')
      return role === undefined ? denied('no_hearing_role') : allowed(role)
    default:
      if (resource.type !== 'tenant') return denied('wrong_resource')
      return role === undefined ? denied('no_role') : allowed(role)
  }
}

/** Who owns a mailbox may have somebody cover for them; what was delegated cannot be passed on. */
function canDelegate(user: UserActor, resource: Resource, now: Date): Decision {
  if (resource.type !== 'mailbox') return denied('wrong_resource')
  if (resource.receiverId === user.userId) return denied('own_access')
  if (user.roles.includes('administrator')) return allowed('administrator')
  if (!user.roles.includes('clinician')) return denied('no_role')
  const owns = user.mailboxes.some(
    ({ mailboxId, kind, until }) =>
      mailboxId === resource.mailboxId && kind === 'owner' && (until === null || until > now),
  )
  return owns ? allowed('owns_mailbox', 'clinician') : denied('not_owner')
}

function tokenRefuses({ token }: UserActor, { scope }: Rule): string | null {
  if (token.kind === 'session') return null
  if (scope === null) return 'needs_session'
  return token.scopes?.includes(scope) === true ? null : 'out_of_scope'
}

/** A program shows no factors: its scope was given by somebody who had shown theirs. */
function isFresh({ token }: UserActor, { now }: Circumstances): boolean {
  if (token.kind !== 'session') return true
  return token.verifiedAt !== null && now.getTime() - token.verifiedAt.getTime() < freshMs
}

/** Unreachable by types. */
function never(_: never): Decision {
  return denied('unknown')
}
