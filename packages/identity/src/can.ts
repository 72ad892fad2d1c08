// The one decision who may do what to which recording: pure, and no where nothing says yes.
import type { Action, Actor, Decide, Decision, Resource } from './actor.ts'

type User = Extract<Actor, { type: 'user' }>
type Recording = Extract<Resource, { type: 'recording' }>

/**
 * Reasons, as they stand in the audit log. Yes: `clinician`, `owns_mailbox`. No: `other_tenant`,
 * `connectors_hear_nothing`, `system_hears_nothing`, `no_hearing_role`, `no_mailbox`, `not_owner`,
 * `wrong_resource`.
 */
export const can: Decide = (actor, action, resource) => {
  switch (actor.type) {
    case 'user':
      if (actor.tenantId !== resource.tenantId) return denied('other_tenant')
      return userCan(actor, action, resource)
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

function userCan(user: User, action: Action, resource: Resource): Decision {
  // An administrator sees no recordings, not even that there are any, unless they are a clinician too.
  if (!user.roles.includes('clinician')) return denied('no_hearing_role')
  switch (action) {
    case 'recording.list':
      return resource.type === 'tenant' ? allowed('clinician') : denied('wrong_resource')
    case 'recording.show':
    case 'recording.play':
    case 'recording.export':
    case 'recording.mark':
      return resource.type === 'recording' ? ownerCan(user, resource) : denied('wrong_resource')
    default:
      return never(action)
  }
}

function ownerCan(user: User, { mailboxId }: Recording): Decision {
  if (mailboxId === null) return denied('no_mailbox')
  return user.mailboxIds.includes(mailboxId) ? allowed('owns_mailbox', 'clinician') : denied('not_owner')
}

const allowed = (...reasons: readonly string[]): Decision => ({ allowed: true, reasons })
const denied = (...reasons: readonly string[]): Decision => ({ allowed: false, reasons })

/** Unreachable by types; a value that a caller forged all the same is refused, never guessed. */
function never(_: never): Decision {
  return denied('unknown')
}
