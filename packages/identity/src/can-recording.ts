// Who may do what to one recording: by the mailbox it is for, by the labels that restrict it, for a purpose.
//
// In words. A clinician hears the mailboxes that are theirs, of their team or delegated to them; treatment is taken to be
// the purpose where none is stated. A supervisor hears those they supervise, and a compliance officer any, for a stated
// purpose; both see the facts without. Emergency access is of the person at the screen, not of their programs: it hears
// all of the tenant's for the emergency or for treatment, and neither keeps nor changes anything. A label keeps a
// recording from all of them who lack its role, and only an officer whom it lets in takes it off; emergency access opens
// every label but psychotherapy (45 CFR 164.501 keeps those notes apart; 42 CFR 2.51 allows part 2 records in an
// emergency). What takes the patient's signature, which the vault does not keep, is refused: psychotherapy for other
// purposes than 45 CFR 164.508(a)(2) leaves, and copies of part 2 recordings but for the patient (42 CFR 2.23, 2.31).
// Administrators and auditors hear and see nothing.
import { type Label, Purpose, type RelationKind } from '@auricle/contract'
import type { Circumstances, Decision, RecordingAction, Resource, UserActor } from './actor.ts'
import { allowed, denied } from './decision.ts'
import { recordingRules } from './rules.ts'

type Recording = Extract<Resource, { type: 'recording' }>

/** A way to a recording: the words that stand for it, and what it takes. */
interface Way {
  readonly reasons: readonly string[]
  readonly actions: readonly RecordingAction[]
  /** What it may be heard for; `implied` where nothing is stated, null where something must be. */
  readonly purposes: readonly Purpose[]
  readonly implied: Purpose | null
  readonly opens: (label: Label, action: RecordingAction) => boolean
}

const relationWords: Readonly<Record<RelationKind, string>> = {
  owner: 'owns_mailbox',
  team: 'team_mailbox',
  delegation: 'delegated_mailbox',
  supervises: 'supervised_mailbox',
}

const supervision: readonly Purpose[] = [
  'payment',
  'operations',
  'quality',
  'investigation',
  'legal',
  'patient_request',
]
const emergency: readonly Purpose[] = ['emergency', 'treatment']
const oversight: readonly Purpose[] = ['quality', 'investigation', 'legal', 'patient_request']
const everything: readonly RecordingAction[] = [
  'recording.show',
  'recording.play',
  'recording.export',
  'recording.mark',
  'recording.label',
  'recording.unlabel',
]

/** Whether the action lets the sound out, which is what a purpose is asked for. */
const isHearing = (action: RecordingAction) => action === 'recording.play' || action === 'recording.export'

export function canRecording(
  user: UserActor,
  action: RecordingAction,
  resource: Resource,
  { now, purpose }: Circumstances,
): Decision {
  if (resource.type !== 'recording') return denied('wrong_resource')
  const roles = recordingRules[action].roles
  if (!user.roles.some(role => roles.includes(role))) return denied(whyNoRole(user))
  const open = waysTo(user, resource, now).filter(way => way.actions.includes(action))
  if (open.length === 0) return denied(resource.mailboxId === null ? 'no_mailbox' : 'not_owner')
  // Of several ways the first that leads through is taken.
  const decisions = open.map(way => along(way, action, resource, purpose))
  const through = decisions.find(decision => decision.allowed)
  // The refusal told is the one they can do something about, or that of the first way.
  const refusal = decisions.find(({ reasons }) => reasons[0] === 'purpose_required') ?? decisions[0]
  return through ?? refusal ?? denied('not_owner')
}

function waysTo(user: UserActor, recording: Recording, now: Date): readonly Way[] {
  const cleared = (label: Label) => user.roles.includes(`hears_${label}`)
  const relations = user.mailboxes.filter(
    ({ mailboxId, until }) => mailboxId === recording.mailboxId && (until === null || until > now),
  )
  const ways: Way[] = []
  if (user.roles.includes('clinician')) {
    for (const { kind } of relations) {
      if (kind === 'supervises') continue
      ways.push({
        reasons: [relationWords[kind], 'clinician'],
        actions: everything.filter(action => action !== 'recording.unlabel'),
        purposes: Purpose.options,
        implied: 'treatment',
        opens: cleared,
      })
    }
  }
  if (user.roles.includes('supervisor') && relations.some(({ kind }) => kind === 'supervises')) {
    ways.push({
      reasons: [relationWords.supervises, 'supervisor'],
      actions: ['recording.show', 'recording.play', 'recording.export'],
      purposes: supervision,
      implied: null,
      opens: cleared,
    })
  }
  if (user.roles.includes('compliance_officer')) {
    ways.push({
      reasons: ['compliance_officer'],
      actions: everything.filter(action => action !== 'recording.mark'),
      purposes: oversight,
      implied: null,
      // They put labels on, so they see what these are on; hearing takes the label's role like anybody's, and so does
      // taking it off, or one hand could open what it must not hear.
      opens: (label, action) => cleared(label) || action === 'recording.show' || action === 'recording.label',
    })
  }
  const mayBreakGlass =
    user.token.kind === 'session' && (user.roles.includes('clinician') || user.roles.includes('supervisor'))
  if (mayBreakGlass && user.breakGlass !== null && user.breakGlass.until > now) {
    ways.push({
      reasons: ['break_glass'],
      actions: ['recording.show', 'recording.play'],
      purposes: emergency,
      implied: 'emergency',
      opens: label => label !== 'psychotherapy',
    })
  }
  return ways
}

function along(way: Way, action: RecordingAction, { labels }: Recording, stated: Purpose | null): Decision {
  const closed = labels.find(label => !way.opens(label, action))
  if (closed !== undefined) return denied(`label_${closed}`, ...way.reasons)
  if (!isHearing(action)) return allowed(...way.reasons)
  const purpose = stated ?? way.implied
  if (purpose === null || !way.purposes.includes(purpose)) return denied('purpose_required', ...way.reasons)
  const unsigned = labels.find(label => !goesUnsigned(label, action, purpose))
  if (unsigned !== undefined) return denied('authorization_required', `label_${unsigned}`, ...way.reasons)
  return allowed(...way.reasons, `purpose_${purpose}`)
}

const psychotherapyPurposes: readonly Purpose[] = ['treatment', 'emergency', 'investigation', 'legal']

/** Whether a recording with the label may be heard, or kept, for the purpose without what the patient has signed. */
function goesUnsigned(label: Label, action: RecordingAction, purpose: Purpose): boolean {
  if (label === 'psychotherapy') return psychotherapyPurposes.includes(purpose)
  if (label === 'part2') return action !== 'recording.export' || purpose === 'patient_request'
  return true
}

function whyNoRole({ roles }: UserActor): string {
  const hears = roles.some(
    role => role === 'clinician' || role === 'supervisor' || role === 'compliance_officer',
  )
  return hears ? 'no_role' : 'no_hearing_role'
}
