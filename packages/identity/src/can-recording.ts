// Who may do what to one recording: by the mailbox it is for, by the labels that restrict it, for a purpose.
//
// In words. A clinician hears the mailboxes that are theirs, of their team or delegated to them; treatment is taken to be
// the purpose where none is stated. A supervisor hears those they supervise, and a compliance officer any, for a stated
// purpose; both see the facts without. Emergency access hears all of the tenant's, and neither keeps nor changes anything.
// A label keeps a recording from all of them who lack its role; emergency access opens every label but psychotherapy
// (45 CFR 164.501 keeps those notes apart; 42 CFR 2.51 allows part 2 records in an emergency). Administrators and auditors
// hear and see nothing.
import type { Label, Purpose, RelationKind } from '@auricle/contract'
import type { Circumstances, Decision, RecordingAction, Resource, UserActor } from './actor.ts'
import { allowed, denied } from './decision.ts'

type Recording = Extract<Resource, { type: 'recording' }>

/** A way to a recording: the words that stand for it, and what it takes. */
interface Way {
  readonly reasons: readonly string[]
  readonly actions: readonly RecordingAction[]
  readonly purpose:
    | { readonly type: 'implied'; readonly is: Purpose }
    | { readonly type: 'stated'; readonly oneOf: readonly Purpose[] }
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
const oversight: readonly Purpose[] = ['quality', 'investigation', 'legal', 'patient_request']
const everything: readonly RecordingAction[] = [
  'recording.show',
  'recording.play',
  'recording.export',
  'recording.mark',
  'recording.label',
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
  const ways = waysTo(user, resource, now)
  const open = ways.filter(way => way.actions.includes(action))
  if (open.length === 0) return denied(whyNone(user, resource))
  // Of several ways the first that leads through is taken; the refusal told is that of the first.
  let refusal: Decision | null = null
  for (const way of open) {
    const decision = along(way, action, resource, purpose)
    if (decision.allowed) return decision
    refusal ??= decision
  }
  return refusal ?? denied('not_owner')
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
        actions: everything,
        purpose: { type: 'implied', is: 'treatment' },
        opens: cleared,
      })
    }
  }
  if (user.roles.includes('supervisor') && relations.some(({ kind }) => kind === 'supervises')) {
    ways.push({
      reasons: [relationWords.supervises, 'supervisor'],
      actions: ['recording.show', 'recording.play', 'recording.export'],
      purpose: { type: 'stated', oneOf: supervision },
      opens: cleared,
    })
  }
  if (user.roles.includes('compliance_officer')) {
    ways.push({
      reasons: ['compliance_officer'],
      actions: [
        ...(['recording.show', 'recording.play', 'recording.export', 'recording.label'] as const),
        'recording.unlabel',
      ],
      purpose: { type: 'stated', oneOf: oversight },
      // They put the labels on, so they see what they are on; hearing takes the label's role like anybody's.
      opens: (label, action) => cleared(label) || !isHearing(action),
    })
  }
  const mayBreakGlass = user.roles.includes('clinician') || user.roles.includes('supervisor')
  if (mayBreakGlass && user.breakGlass !== null && user.breakGlass.until > now) {
    ways.push({
      reasons: ['break_glass'],
      actions: ['recording.show', 'recording.play'],
      purpose: { type: 'implied', is: 'emergency' },
      opens: label => cleared(label) || label !== 'psychotherapy',
    })
  }
  return ways
}

function along(way: Way, action: RecordingAction, { labels }: Recording, purpose: Purpose | null): Decision {
  const closed = labels.find(label => !way.opens(label, action))
  if (closed !== undefined) return denied(`label_${closed}`, ...way.reasons)
  if (!isHearing(action)) return allowed(...way.reasons)
  if (way.purpose.type === 'implied') return allowed(...way.reasons, `purpose_${purpose ?? way.purpose.is}`)
  return purpose !== null && way.purpose.oneOf.includes(purpose)
    ? allowed(...way.reasons, `purpose_${purpose}`)
    : denied('purpose_required', ...way.reasons)
}

function whyNone({ roles }: UserActor, { mailboxId }: Recording): string {
  const hears = roles.some(
    role => role === 'clinician' || role === 'supervisor' || role === 'compliance_officer',
  )
  if (!hears) return 'no_hearing_role'
  return mailboxId === null ? 'no_mailbox' : 'not_owner'
}
