// What a rule of keeping says, in words for people.
import type { Period, RuleDefinition, RuleVersionView, RuleView } from '@auricle/contract'
import { formatCount, formatTime } from './format.ts'

/** `7 years`, `1 year 6 months`. */
function periodWords({ years, months, days }: Period): string {
  const parts = [
    ...(years > 0 ? [formatCount(years, 'year')] : []),
    ...(months > 0 ? [formatCount(months, 'month')] : []),
    ...(days > 0 ? [formatCount(days, 'day')] : []),
  ]
  return parts.join(' ')
}

const eventWords = {
  start: 'the call',
  treatment_ended: 'the end of the treatment',
  discharged: 'the discharge',
  last_encounter: 'the last encounter',
  case_closed: 'the close of the case',
  contract_ended: 'the end of the contract',
  patient_died: "the patient's death",
  transcribed: 'its transcription',
} as const satisfies Record<RuleDefinition['from'], string>

const disposalWords = {
  automatic: 'goes by itself',
  review: 'people decide',
  never: 'kept for good',
} as const satisfies Record<RuleDefinition['dispose'], string>

export function keepWords({ keep, from, minors }: RuleDefinition): string {
  const ofMinors =
    minors === null ? '' : `; of minors ${periodWords(minors.keep)} from the age of ${minors.majorityAge}`
  return `${periodWords(keep)} from ${eventWords[from]}${ofMinors}`
}

export function thenWords({ dispose, disposeAfterDays, lock }: RuleDefinition): string {
  const after =
    disposeAfterDays === 0 || dispose === 'never' ? '' : ` after ${formatCount(disposeAfterDays, 'day')}`
  return `${disposalWords[dispose]}${after}${lock ? ', locked' : ''}`
}

export function scopeWords({ appliesTo: { kinds, mailboxes, labels, recordSet } }: RuleDefinition): string {
  const parts = [
    ...(kinds === null ? [] : [`kind ${kinds.join(' or ')}`]),
    ...(mailboxes === null
      ? []
      : [formatCount(mailboxes.length, 'mailbox').replace('mailboxs', 'mailboxes')]),
    ...(labels === null ? [] : [`label ${labels.join(' or ')}`]),
    ...(recordSet === null ? [] : [`${recordSet} the record set`]),
  ]
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

/** Null for a rule of which nothing is in force. */
export const inForceOf = ({ versions }: RuleView): RuleVersionView | null =>
  versions.find(({ state }) => state === 'in_force') ?? null

/** What somebody still has to do about it, or what comes by itself. */
export function pendingWords({ versions }: RuleView): string {
  const parts = versions.flatMap(({ version, state, effectiveFrom }) => {
    if (state === 'proposed') return [`version ${version} waits for approval`]
    return state === 'scheduled' && effectiveFrom !== null
      ? [`version ${version} from ${formatTime(new Date(effectiveFrom))}`]
      : []
  })
  return parts.length === 0 ? '-' : parts.join('; ')
}
