// Rules to start from: what laws of the United States say of medical records, and what practices commonly do.
//
// Every one is a starting point to confirm with counsel. Which law applies follows from the facility, the payer, the
// state and the patient, and a recording falls under it only as part of the record; no federal period covers the whole
// record under HIPAA. Where two sources differ the longer period is here.
import type { Period, RecordingKind, RuleDefinition } from '@auricle/contract'
import { scopeNames, statePeriods } from './state-periods.ts'

/** `high`: read in the law or in a survey of it. `medium`, `low`: known of, to be looked up first. */
export type PresetConfidence = 'high' | 'medium' | 'low'

export interface Preset {
  /** As `RuleDefinition.preset` has it. */
  readonly id: string
  readonly name: string
  /** The two letters of a state, or null. */
  readonly state: string | null
  readonly definition: RuleDefinition
  readonly source: string
  /** When that source was looked at, `YYYY-MM-DD`. */
  readonly asOf: string
  readonly confidence: PresetConfidence
  readonly note: string | null
  /** What whoever shows it shows with it. */
  readonly caution: string
}

export const presetCaution =
  'A starting point to confirm with counsel: which law applies depends on the facility, the payer, the state and the patient.'

const asOf = '2026-11-22'
const survey = 'A published survey of state laws on hospital records, of about 2008, and pages of the state'
const noTime = { years: 0, months: 0, days: 0 } as const
const falseClaims = '31 USC 3731(b) lets false claims be brought for 10 years'

export const presets: readonly Preset[] = [
  common({
    id: 'us-default',
    name: 'Part of the record',
    keep: { years: 10 },
    minors: { majorityAge: 18, keep: { years: 10 } },
    source: `Common practice; ${falseClaims}`,
    confidence: 'medium',
    note: 'Majority is at 19 in Alabama and Nebraska, at 21 in Mississippi.',
  }),
  common({
    id: 'us-conservative',
    name: 'Part of the record, in several states',
    keep: { years: 20 },
    minors: { majorityAge: 18, keep: { years: 12 } },
    source:
      'Covers Massachusetts (G.L. c.111 s.70, 20 years) and North Carolina (10A NCAC 13B .3903, to age 30)',
    confidence: 'high',
    note: null,
  }),
  common({
    id: 'us-minimum',
    name: 'Part of the record, small practice',
    keep: { years: 7 },
    minors: { majorityAge: 18, keep: { years: 7 } },
    source: 'Common practice in states that ask for 5 to 7 years',
    confidence: 'medium',
    note: 'Not where a state, a payer or the kind of facility asks for more.',
  }),
  common({
    id: 'us-medicare-hospital',
    name: 'Medicare, hospital',
    keep: { years: 5 },
    source: '42 CFR 482.24(b)(1)',
    confidence: 'high',
    note: null,
  }),
  common({
    id: 'us-medicare-provider',
    name: 'Medicare, provider',
    keep: { years: 7 },
    source: 'Medicare, of providers',
    confidence: 'high',
    note: 'From the date of service.',
  }),
  common({
    id: 'us-medicare-managed',
    name: 'Medicare Part C and D',
    keep: { years: 10 },
    source: '42 CFR 422.504(d), 423.505',
    confidence: 'high',
    note: null,
  }),
  common({
    id: 'qa-only',
    name: 'Quality assurance only',
    keep: { days: 90 },
    recordSet: 'out',
    dispose: 'automatic',
    source: "The tenant's own documented purpose (45 CFR 164.501: not used to decide about the person)",
    confidence: 'medium',
    note: '30 days to one year are usual.',
  }),
  common({
    id: 'voicemail-transient',
    name: 'Voicemail that was transcribed',
    keep: { days: 30 },
    kinds: ['voicemail'],
    recordSet: 'out',
    from: 'transcribed',
    dispose: 'automatic',
    source: "The tenant's own documented policy: the transcript is the record",
    confidence: 'medium',
    note: 'Counted from the transcription into the record; waits without one.',
  }),
  common({
    id: 'consent-missing',
    name: 'Recorded without proof of consent',
    keep: { days: 14 },
    recordSet: 'out',
    source: 'State laws on the recording of calls; quarantine until a privacy officer has decided',
    confidence: 'medium',
    note: 'Choose the mailbox that is the quarantine before this is proposed.',
  }),
  ...statePeriods.map(({ state, scope, keep, minors, source, confidence, note }) =>
    common({
      id: `us-${state}-${scope}`.toLowerCase(),
      name: `${state}, ${scopeNames[scope]}`,
      state,
      keep,
      ...(minors === undefined ? {} : { minors }),
      source: source ?? survey,
      confidence,
      note: note ?? null,
    }),
  ),
]

export function findPreset(id: string): Preset | null {
  return presets.find(preset => preset.id === id) ?? null
}

interface Common {
  readonly id: string
  readonly name: string
  readonly state?: string
  readonly keep: Partial<Period>
  readonly minors?: { readonly majorityAge: number; readonly keep: Partial<Period> }
  readonly kinds?: RecordingKind[]
  readonly recordSet?: 'out'
  readonly from?: 'transcribed'
  readonly dispose?: 'automatic'
  readonly source: string
  readonly confidence: PresetConfidence
  readonly note: string | null
}

/** From the call's end, disposed of after review. */
function common(preset: Common): Preset {
  const { id, name, state = null, keep, minors, source, confidence, note } = preset
  return {
    id,
    name,
    state,
    definition: {
      appliesTo: {
        kinds: preset.kinds ?? null,
        mailboxes: null,
        labels: null,
        recordSet: preset.recordSet ?? null,
      },
      keep: { ...noTime, ...keep },
      from: preset.from ?? 'start',
      minors:
        minors === undefined
          ? null
          : { majorityAge: minors.majorityAge, keep: { ...noTime, ...minors.keep } },
      dispose: preset.dispose ?? 'review',
      disposeAfterDays: 0,
      lock: false,
      source,
      preset: id,
    },
    source,
    asOf,
    confidence,
    note,
    caution: presetCaution,
  }
}
