// Events to make FHIR of: every action with every outcome, with and without patients and private parts, by every kind
// of actor, about every kind of object.
import { AuditEvent, EventAction, type PrivatePart } from '@auricle/audit'
import type { FhirContext } from '@auricle/audit/fhir'

export interface Sample {
  readonly title: string
  readonly event: AuditEvent
  readonly context: FhirContext
}

const ulid = (name: string | number) => `01jd3w8h9k6n2q4s5t7v${name.toString().padStart(6, '0')}`
const hash = `${'A'.repeat(43)}=`

const actors = [
  { type: 'user', id: `usr_${ulid('0')}`, session: `tok_${ulid('0')}` },
  { type: 'user', id: `usr_${ulid('1')}`, session: null },
  { type: 'connector', id: `con_${ulid('0')}`, session: null },
  { type: 'system', id: 'archive', session: null },
  { type: 'system', id: `idp_${ulid('0')}`, session: null },
] as const

const objects = [
  { type: 'recording', id: `rec_${ulid('0')}`, version: '0a'.repeat(32) },
  { type: 'recording', id: `rec_${ulid('0')}`, version: null },
  { type: 'user', id: `usr_${ulid('2')}`, version: null },
  { type: 'team', id: `tea_${ulid('0')}`, version: null },
  { type: 'mailbox', id: `mbx_${ulid('0')}`, version: null },
  { type: 'patient', id: `pat_${ulid('9')}`, version: null },
  null,
] as const

const details = [
  undefined,
  {
    kind: 'served',
    intent: `evt_${ulid('1')}`,
    bytes: 4096,
    ranges: [
      [0, 1023],
      [2048, 5119],
    ],
    milliseconds: 512,
    complete: false,
  },
  { kind: 'served', intent: `evt_${ulid('1')}`, bytes: 0, ranges: [], milliseconds: null, complete: false },
  { kind: 'started', receiptKey: null },
  { kind: 'beat', beat: 3, acknowledged: [[1, 7]] },
  { kind: 'opened', previous: { origin: 'auricle.local/t/x/2025', size: 7, root: hash }, keys: [] },
  { kind: 'opened', previous: null, keys: [`auricle.local/t/x/2026+0badcafe+${'A'.repeat(44)}`] },
  { kind: 'checkpoint', of: { origin: 'auricle.local/t/x/2026', size: 9, root: hash } },
  { kind: 'reconciled', events: [`evt_${ulid('2')}`, `evt_${ulid('3')}`] },
  { kind: 'disclosed', accountable: true, recipientKind: 'law_enforcement' },
  { kind: 'found', count: 12 },
] as const

const purposes = [
  undefined,
  'treatment',
  'payment',
  'operations',
  'quality',
  'investigation',
  'legal',
  'patient_request',
  'emergency',
] as const

const reasons = [[], ['owns_mailbox'], ['break_glass', 'purpose_emergency']] as const
const patients = [`pat_${ulid('0')}`, `pat_${ulid('1')}`, `pat_${ulid('2')}`] as const

const shown: PrivatePart = {
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
  login: 'ward-3',
  number: '+15550100',
  patientReference: 'MRN 4711',
  query: 'kind=voicemail&heard=false',
  reason: 'Asked for by the ward',
  recipientName: 'Registry of burns',
  recipientAddress: 'intake@registry.example',
  what: 'One voicemail of two minutes',
}

const at = <Value>(all: readonly Value[], index: number): Value => all[index % all.length] as Value

/** Every action and outcome with none and some patients, with and without what the private part says. */
export function samples(): Sample[] {
  return EventAction.options.flatMap((action, row) =>
    (['allowed', 'denied', 'failed'] as const).flatMap((outcome, column) =>
      [0, 1, 2, 3].map(corner => {
        const index = row * 13 + column * 5 + corner * 3
        const varied = { index, hasPatients: corner % 2 === 1, isShown: corner >= 2 }
        return sampleOf(action, outcome, row * 12 + column * 4 + corner, varied)
      }),
    ),
  )
}

/** Every object with every detail for each action, by actors and purposes in turn: too many for validators of others. */
export function* everySample(): Generator<Sample> {
  const pairs = objects.length * details.length
  for (const [row, action] of EventAction.options.entries())
    for (let index = row * pairs; index < (row + 1) * pairs; index++)
      yield sampleOf(action, 'allowed', index, {
        index,
        hasPatients: index % 2 === 1,
        isShown: index % 3 === 1,
      })
}

function sampleOf(
  action: EventAction,
  outcome: AuditEvent['outcome'],
  serial: number,
  { index, hasPatients, isShown }: { index: number; hasPatients: boolean; isShown: boolean },
): Sample {
  const purpose = at(purposes, index)
  const detail = at(details, index)
  const isDropped = index % 4 === 1
  const event = AuditEvent.parse({
    v: 1,
    id: `evt_${ulid(serial)}`,
    tenant: `ten_${ulid('0')}`,
    at: '2026-11-22T14:05:09.123Z',
    action,
    outcome,
    actor: at(actors, index),
    object: at(objects, index),
    reasons: at(reasons, index),
    ...(purpose === undefined ? {} : { purpose }),
    ...(hasPatients ? { patients: patients.slice(0, 1 + (index % patients.length)) } : {}),
    ...(detail === undefined ? {} : { detail }),
    ...(index % 5 === 0 ? {} : { writer: { id: `wri_${ulid('0')}`, name: 'api', n: index } }),
    request: index % 6 === 0 ? null : '5e0a7f0c-3b1e-4d8e-9a33-0f6f1e0f8f11',
    private: isShown || isDropped ? `sha256:${'0a'.repeat(32)}` : null,
  })
  return {
    title: `${action} ${outcome} ${index}${hasPatients ? ' patients' : ''}${isShown ? ' shown' : ''}`,
    event,
    context: {
      site: event.tenant,
      server: { name: 'auricle', host: index % 7 === 0 ? '192.0.2.10' : 'vault.clinic.example' },
      baseUrl: 'https://vault.clinic.example',
      private: isShown ? shown : null,
      place: index % 8 === 0 ? null : { year: 2026, seq: index },
    },
  }
}
