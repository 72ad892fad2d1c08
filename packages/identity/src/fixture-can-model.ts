// The decision once more, for tests: sentences that say yes and sentences that say never, each read by itself.
//
// Written from the requirements and not from `can()`: nothing of it is shared, so that a mistake has to be made twice.
import type { Label, MailboxId, Purpose, Role, Scope } from '@auricle/contract'
import type { Action, Actor, Circumstances, Resource, UserActor } from './actor.ts'

interface Question extends Circumstances {
  readonly user: UserActor
  readonly action: Action
  readonly resource: Resource
}

type Sentence = (question: Question) => boolean

/** Whether the sentences allow it: one says yes and none says never. */
export function modelAllows(
  actor: Actor,
  action: Action,
  resource: Resource,
  circumstances: Circumstances,
): boolean {
  // Connectors deliver and the vault's own work hears nothing.
  if (actor.type !== 'user') return false
  const question = { user: actor, action, resource, ...circumstances }
  return yes.some(says => says(question)) && !never.some(says => says(question))
}

const is = ({ user }: Question, ...roles: readonly Role[]) => user.roles.some(role => roles.includes(role))
const does = ({ action }: Question, ...actions: readonly Action[]) => actions.includes(action)
const labelsOf = ({ resource }: Question): readonly Label[] =>
  resource.type === 'recording' ? resource.labels : []
const holdsEveryKey = (question: Question) =>
  labelsOf(question).every(label => is(question, `hears_${label}`))
const states = ({ purpose }: Question, ...purposes: readonly (Purpose | null)[]) => purposes.includes(purpose)

function comesBy({ user, resource, now }: Question, ...kinds: readonly string[]): boolean {
  const mailbox: MailboxId | null =
    resource.type === 'recording' || resource.type === 'mailbox' ? resource.mailboxId : null
  return user.mailboxes.some(
    relation =>
      relation.mailboxId === mailbox &&
      kinds.includes(relation.kind) &&
      !(relation.until !== null && relation.until.getTime() <= now.getTime()),
  )
}

const isInEmergency = ({ user, now }: Question) =>
  user.breakGlass !== null && now.getTime() < user.breakGlass.until.getTime()

const yes: readonly Sentence[] = [
  // Who owns a mailbox, covers for its owner or is of its team has all of it, as a clinician.
  question =>
    question.resource.type === 'recording' &&
    question.action.startsWith('recording.') &&
    !does(question, 'recording.list', 'recording.unlabel') &&
    is(question, 'clinician') &&
    comesBy(question, 'owner', 'team', 'delegation') &&
    holdsEveryKey(question),
  // A supervisor sees what they supervise, and hears it for a purpose that is not treatment.
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.show') &&
    is(question, 'supervisor') &&
    comesBy(question, 'supervises') &&
    holdsEveryKey(question),
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.play', 'recording.export') &&
    is(question, 'supervisor') &&
    comesBy(question, 'supervises') &&
    holdsEveryKey(question) &&
    states(question, 'payment', 'operations', 'quality', 'investigation', 'legal', 'patient_request'),
  // A compliance officer sees all facts and puts labels on; what a label is on, they hear and open with its key only.
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.show', 'recording.label') &&
    is(question, 'compliance_officer'),
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.unlabel') &&
    is(question, 'compliance_officer') &&
    holdsEveryKey(question),
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.play', 'recording.export') &&
    is(question, 'compliance_officer') &&
    holdsEveryKey(question) &&
    states(question, 'quality', 'investigation', 'legal', 'patient_request'),
  // In an emergency a person hears whatever is not psychotherapy, for the emergency.
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.show') &&
    is(question, 'clinician', 'supervisor') &&
    isInEmergency(question) &&
    question.user.token.kind === 'session' &&
    !labelsOf(question).includes('psychotherapy'),
  question =>
    question.resource.type === 'recording' &&
    does(question, 'recording.play') &&
    is(question, 'clinician', 'supervisor') &&
    isInEmergency(question) &&
    question.user.token.kind === 'session' &&
    !labelsOf(question).includes('psychotherapy') &&
    states(question, null, 'emergency', 'treatment'),
  // Of the tenant.
  question =>
    question.resource.type === 'tenant' &&
    does(question, 'recording.list') &&
    is(question, 'clinician', 'supervisor', 'compliance_officer'),
  question =>
    question.resource.type === 'tenant' &&
    is(question, 'administrator') &&
    does(
      question,
      'people.read',
      'people.manage',
      'role.request',
      'role.revoke',
      'recertification.read',
      'mailbox.manage',
      'machine.read',
      'machine.manage',
      'provider.read',
      'provider.manage',
      'tenant.read',
      'tenant.manage',
      'alert.read',
      'rule.read',
      'retention.approve',
      'disposition.read',
      'disposition.review',
    ),
  question =>
    question.resource.type === 'tenant' &&
    is(question, 'compliance_officer') &&
    does(
      question,
      'people.read',
      'role.request',
      'role.revoke',
      'recertification.read',
      'emergency_code.issue',
      'tenant.read',
      'break_glass.read',
      'alert.read',
      'alert.acknowledge',
      'audit.read',
      'audit.export',
      'audit.follow',
      'audit.drop_private',
      'disclosure.read',
      'disclosure.record',
      'disclosure.suspend',
      'review.read',
      'review.sign',
      'rule.read',
      'retention.read',
      'retention.manage',
      'retention.approve',
      'record_set.decide',
      'hold.read',
      'hold.manage',
      'disposition.read',
      'disposition.propose',
      'disposition.review',
      'report.schedule',
    ),
  question =>
    question.resource.type === 'tenant' &&
    is(question, 'auditor') &&
    does(
      question,
      'people.read',
      'recertification.read',
      'machine.read',
      'provider.read',
      'tenant.read',
      'break_glass.read',
      'alert.read',
      'audit.read',
      'audit.export',
      'audit.follow',
      'disclosure.read',
      'review.read',
      'rule.read',
      'retention.read',
      'hold.read',
      'disposition.read',
    ),
  question =>
    question.resource.type === 'tenant' &&
    is(question, 'clinician', 'supervisor') &&
    does(question, 'break_glass.start'),
  // Whoever is signed in, to what is their own.
  question => question.resource.type === 'tenant' && question.action.startsWith('self.'),
  question =>
    question.resource.type === 'break_glass' &&
    does(question, 'break_glass.read') &&
    question.resource.userId === question.user.userId,
  // Two pairs of eyes.
  question =>
    question.resource.type === 'role_request' &&
    does(question, 'role.decide') &&
    is(question, 'administrator', 'compliance_officer') &&
    question.user.userId !== question.resource.requestedBy &&
    question.user.userId !== question.resource.userId,
  question =>
    question.resource.type === 'role_request' &&
    does(question, 'role.withdraw') &&
    is(question, 'administrator', 'compliance_officer') &&
    question.user.userId === question.resource.requestedBy,
  question =>
    question.resource.type === 'break_glass' &&
    does(question, 'break_glass.review') &&
    is(question, 'compliance_officer') &&
    question.user.userId !== question.resource.userId,
  question =>
    question.resource.type === 'break_glass' &&
    does(question, 'break_glass.read') &&
    is(question, 'compliance_officer', 'auditor'),
  // Cover is given by whose mailbox it is, or by an administrator, and not passed on.
  question =>
    question.resource.type === 'mailbox' &&
    does(question, 'delegation.create', 'delegation.end') &&
    (is(question, 'administrator') || (is(question, 'clinician') && comesBy(question, 'owner'))),
]

/** What a program may be made for; an action of no scope takes a person. */
const scopes: Readonly<Record<Scope, readonly Action[]>> = {
  'recordings.read': ['recording.list', 'recording.show'],
  'recordings.play': ['recording.play'],
  'recordings.export': ['recording.export'],
  'recordings.mark': ['recording.mark', 'recording.label'],
  'people.read': ['people.read'],
  'people.manage': [
    'people.manage',
    'role.request',
    'role.withdraw',
    'role.revoke',
    'mailbox.manage',
    'delegation.create',
    'delegation.end',
  ],
  'machines.read': ['machine.read', 'provider.read'],
  'machines.manage': ['machine.manage'],
  'reports.read': [
    'recertification.read',
    'tenant.read',
    'break_glass.read',
    'alert.read',
    'audit.read',
    'disclosure.read',
    'review.read',
    'rule.read',
    'retention.read',
    'hold.read',
    'disposition.read',
  ],
  'audit.follow': ['audit.follow'],
}

const steppingUp: readonly Action[] = [
  'recording.export',
  'recording.unlabel',
  'people.manage',
  'role.decide',
  'role.revoke',
  'machine.manage',
  'provider.manage',
  'tenant.manage',
  'emergency_code.issue',
  'break_glass.start',
  'break_glass.review',
  'audit.export',
  'audit.drop_private',
  'disclosure.suspend',
  'review.sign',
  'retention.manage',
  'retention.approve',
  'hold.manage',
  'disposition.review',
  'report.schedule',
  'self.secure',
]

const never: readonly Sentence[] = [
  ({ user, resource }) => user.tenantId !== resource.tenantId,
  ({ user, action }) =>
    user.token.kind !== 'session' &&
    action !== 'self.read' &&
    action !== 'self.end' &&
    !(user.token.scopes ?? []).some(scope => scopes[scope].includes(action)),
  ({ user, action, now }) => {
    if (user.token.kind !== 'session' || !steppingUp.includes(action)) return false
    return user.token.verifiedAt === null || now.getTime() >= user.token.verifiedAt.getTime() + 300_000
  },
  // What takes a signature of the patient's.
  question =>
    labelsOf(question).includes('psychotherapy') &&
    does(question, 'recording.play', 'recording.export') &&
    states(question, 'payment', 'operations', 'quality', 'patient_request'),
  question =>
    labelsOf(question).includes('part2') &&
    does(question, 'recording.export') &&
    !states(question, 'patient_request'),
]
