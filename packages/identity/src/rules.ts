// What each action takes, as a table: which roles, which scope of a program's token, and whether a fresh second factor.
//
// Recordings are decided by relation and label besides (`can-recording.ts`).
import type { Role, Scope } from '@auricle/contract'
import type { Action, RecordingAction, SelfAction } from './actor.ts'

export interface Rule {
  /** Any of them will do. */
  readonly roles: readonly Role[]
  /** What a program's token must be made for; null: only a session may. */
  readonly scope: Scope | null
  /** Whether the second factor must have been shown within `freshMs`. */
  readonly isFresh: boolean
}

/** How long a second factor counts as fresh. */
export const freshMs = 5 * 60_000

const rule = (roles: readonly Role[], scope: Scope | null, isFresh = false): Rule => ({
  roles,
  scope,
  isFresh,
})

const people = ['administrator'] as const
const overseers = ['compliance_officer', 'auditor'] as const

/** Roles here are those that may have the right at all; which recordings, `can-recording.ts` says. */
export const recordingRules: Readonly<Record<RecordingAction, Rule>> = {
  'recording.show': rule(['clinician', 'supervisor', 'compliance_officer'], 'recordings.read'),
  'recording.play': rule(['clinician', 'supervisor', 'compliance_officer'], 'recordings.play'),
  'recording.export': rule(['clinician', 'supervisor', 'compliance_officer'], 'recordings.export', true),
  'recording.mark': rule(['clinician'], 'recordings.mark'),
  'recording.label': rule(['clinician', 'compliance_officer'], 'recordings.mark'),
  // It opens the recording to others.
  'recording.unlabel': rule(['compliance_officer'], null, true),
}

export const rules: Readonly<Record<Exclude<Action, RecordingAction | SelfAction>, Rule>> = {
  'recording.list': rule(['clinician', 'supervisor', 'compliance_officer'], 'recordings.read'),
  'people.read': rule([...people, ...overseers], 'people.read'),
  'people.manage': rule(people, 'people.manage', true),
  'role.request': rule([...people, 'compliance_officer'], 'people.manage'),
  'role.decide': rule([...people, 'compliance_officer'], null, true),
  'role.withdraw': rule([...people, 'compliance_officer'], 'people.manage'),
  'role.revoke': rule([...people, 'compliance_officer'], 'people.manage', true),
  'recertification.read': rule([...people, ...overseers], 'reports.read'),
  'mailbox.manage': rule(people, 'people.manage'),
  'machine.read': rule([...people, 'auditor'], 'machines.read'),
  'machine.manage': rule(people, 'machines.manage', true),
  'tenant.read': rule([...people, ...overseers], 'reports.read'),
  'tenant.manage': rule(people, null, true),
  'provider.read': rule([...people, 'auditor'], 'machines.read'),
  'provider.manage': rule(people, null, true),
  'emergency_code.issue': rule(['compliance_officer'], null, true),
  'break_glass.start': rule(['clinician', 'supervisor'], null, true),
  'break_glass.read': rule(overseers, 'reports.read'),
  'break_glass.review': rule(['compliance_officer'], null, true),
  'alert.read': rule([...overseers, 'administrator'], 'reports.read'),
  'alert.acknowledge': rule(['compliance_officer'], null),
  'audit.read': rule(overseers, 'reports.read'),
  // A copy of the log leaves the vault.
  'audit.export': rule(overseers, null, true),
  'audit.follow': rule(overseers, 'audit.follow'),
  'audit.drop_private': rule(['compliance_officer'], null, true),
  'disclosure.read': rule(overseers, 'reports.read'),
  'disclosure.record': rule(['compliance_officer'], null),
  'disclosure.suspend': rule(['compliance_officer'], null, true),
  'review.read': rule(overseers, 'reports.read'),
  'review.sign': rule(['compliance_officer'], null, true),
  // Whoever approves a rule has to see it.
  'rule.read': rule([...overseers, 'administrator'], 'reports.read'),
  'retention.read': rule(overseers, 'reports.read'),
  'retention.manage': rule(['compliance_officer'], null, true),
  // The second pair of eyes: that it is another's, the use case sees to.
  'retention.approve': rule(['compliance_officer', 'administrator'], null, true),
  'record_set.decide': rule(['compliance_officer'], null),
  'hold.read': rule(overseers, 'reports.read'),
  'hold.manage': rule(['compliance_officer'], null, true),
  'disposition.read': rule([...overseers, 'administrator'], 'reports.read'),
  'disposition.propose': rule(['compliance_officer'], null),
  'disposition.review': rule(['compliance_officer', 'administrator'], null, true),
  'report.schedule': rule(['compliance_officer'], null, true),
  'delegation.create': rule(['clinician', 'administrator'], 'people.manage'),
  'delegation.end': rule(['clinician', 'administrator'], 'people.manage'),
}

export const isSelfAction = (action: Action): action is SelfAction => Object.hasOwn(selfRules, action)
export const isRecordingAction = (action: Action): action is RecordingAction =>
  Object.hasOwn(recordingRules, action)
/** Whether anybody decides it; for what types cannot hold. */
export const isAction = (text: string): text is Action =>
  [rules, recordingRules, selfRules].some(table => Object.hasOwn(table, text))

/** `self.secure` is what a stolen session must not do: change factors, make tokens. */
export const selfRules: Readonly<Record<SelfAction, Omit<Rule, 'roles'> & { readonly byProgram: boolean }>> =
  {
    'self.read': { scope: null, isFresh: false, byProgram: true },
    'self.end': { scope: null, isFresh: false, byProgram: true },
    'self.verify': { scope: null, isFresh: false, byProgram: false },
    'self.manage': { scope: null, isFresh: false, byProgram: false },
    'self.secure': { scope: null, isFresh: true, byProgram: false },
  }
