// Holds what an AuditEvent tells to what was opened, one patient to one resource, and the codes to those in use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codingsOf, judge } from '../../../../test/fhir/balp-rules.ts'
import { everySample, samples } from '../../../../test/fhir/events.ts'
import { AuditEvent } from '../event.ts'
import type { PrivatePart } from '../private-part.ts'
import { toFhir } from './audit-event.ts'
import * as codes from './codes.ts'
import type { FhirContext } from './context.ts'
import type { FhirAuditEvent } from './resource.ts'

const ulid = (name: string) => `01jd3w8h9k6n2q4s5t7v${name.padStart(6, '0')}`
const patients = ['1', '2', '3'].map(name => `pat_${ulid(name)}`)
const played = {
  v: 1,
  id: `evt_${ulid('0')}`,
  tenant: `ten_${ulid('0')}`,
  at: '2026-11-22T14:05:09.123Z',
  action: 'recording.played',
  outcome: 'allowed',
  actor: { type: 'user', id: `usr_${ulid('0')}`, session: `tok_${ulid('0')}` },
  object: { type: 'recording', id: `rec_${ulid('0')}`, version: null },
  reasons: ['owns_mailbox'],
  purpose: 'treatment',
  patients: patients.slice(0, 1),
  request: null,
  private: `sha256:${'0a'.repeat(32)}`,
}
const context: FhirContext = {
  site: played.tenant,
  server: { name: 'auricle', host: 'vault.clinic.example' },
  baseUrl: 'https://vault.clinic.example',
  private: { ip: '203.0.113.7' },
  place: { year: 2026, seq: 4711 },
}

const render = (changes: object, also: Partial<FhirContext> = {}) =>
  toFhir(AuditEvent.parse({ ...played, ...changes }), { ...context, ...also })

function only(resources: readonly FhirAuditEvent[]): FhirAuditEvent {
  const [resource] = resources
  assert.ok(resource)
  assert.equal(resources.length, 1)
  return resource
}

test('a playback says who heard what of whom, from where and why', () => {
  const { type, subtype, agent, entity, ...rest } = only(render({}))
  assert.deepEqual(rest, {
    resourceType: 'AuditEvent',
    id: `evt-${ulid('0')}`,
    meta: { profile: ['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead'] },
    action: 'R',
    recorded: '2026-11-22T14:05:09.123Z',
    outcome: '0',
    outcomeDesc: 'owns_mailbox',
    purposeOfEvent: [{ coding: [codes.reason.treatment] }],
    source: {
      site: played.tenant,
      observer: { identifier: { system: 'urn:auricle:part', value: 'auricle' } },
      type: [codes.applicationServer],
    },
  })
  assert.deepEqual([type, subtype], [codes.rest, [codes.interaction.read, codes.record.access]])
  const id = (value: string) => ({ identifier: { system: 'urn:auricle:id', value } })
  assert.deepEqual(agent, [
    {
      type: { coding: [codes.agentType.destination] },
      who: id(played.actor.session),
      requestor: false,
      network: { address: '203.0.113.7', type: '2' },
    },
    {
      type: { coding: [codes.agentType.source] },
      who: rest.source.observer,
      requestor: false,
      network: { address: 'vault.clinic.example', type: '1' },
    },
    {
      type: { coding: [codes.agentType.recipient] },
      who: id(played.actor.id),
      requestor: true,
      policy: [`urn:ietf:params:oauth:jti:${played.actor.session}`],
      purposeOfUse: [{ coding: [codes.reason.treatment] }],
    },
  ])
  assert.deepEqual(
    entity.map(({ what, type, role, lifecycle }) => [what, type.code, role?.code, lifecycle?.code]),
    [
      [{ type: 'DocumentReference', ...id(played.object.id) }, '2', '4', '6'],
      [{ type: 'Patient', ...id(patients[0] ?? '') }, '1', '1', undefined],
      [id(played.id), '4', '13', undefined],
    ],
  )
  assert.deepEqual(entity.at(-1)?.detail, [
    { type: 'action', valueString: 'recording.played' },
    { type: 'place', valueString: '2026-4711' },
    { type: 'proof', valueString: `https://vault.clinic.example/v1/audit/events/${played.id}` },
    { type: 'private', valueString: played.private },
  ])
})

test('a list that showed several patients is one event for each of them, by ids of their own', () => {
  const resources = render({ action: 'recording.listed', object: null, patients })
  assert.deepEqual(
    resources.map(({ id, entity }) => [
      id,
      entity.filter(({ role }) => role?.code === '1').map(({ what }) => what?.identifier?.value),
    ]),
    patients.map(patient => [`evt-${ulid('0')}.${patient.slice('pat_'.length)}`, [patient]]),
  )
  assert.ok(resources.every(({ id }) => /^[A-Za-z0-9.-]{1,64}$/.test(id)))
})

test('what was refused or failed claims no profile, and names all its patients at once', () => {
  for (const [outcome, code] of [
    ['denied', '4'],
    ['failed', '8'],
  ] as const) {
    const resource = only(render({ outcome, patients, reasons: ['not_owner'] }))
    assert.equal(resource.meta, undefined)
    assert.deepEqual([resource.outcome, resource.outcomeDesc], [code, 'not_owner'])
    assert.equal(resource.entity.filter(({ role }) => role?.code === '1').length, patients.length)
  }
})

test('a recording under emergency access says so beside the purpose', () => {
  const { agent } = only(render({ purpose: 'emergency', reasons: ['break_glass', 'purpose_emergency'] }))
  assert.deepEqual(
    agent.at(-1)?.purposeOfUse?.map(({ coding }) => coding[0]?.code),
    ['ETREAT', 'BTG'],
  )
})

test('an export to somebody outside is a disclosure by the vault itself; without that it is an extract', () => {
  const detail = { kind: 'disclosed', accountable: true, recipientKind: 'law_enforcement' }
  const disclosure = only(render({ action: 'recording.exported', purpose: 'legal', detail }))
  assert.match(disclosure.meta?.profile[0] ?? '', /PrivacyDisclosure\.Source$/)
  assert.deepEqual(disclosure.agent[1]?.who, disclosure.source.observer)
  assert.equal(disclosure.agent[2]?.who.display, 'law_enforcement')
  const to = { recipientName: 'Registry of burns', recipientAddress: 'intake@registry.example' }
  const told = only(render({ action: 'recording.exported', purpose: 'legal', detail }, { private: to }))
  assert.equal(told.agent[2]?.who.display, to.recipientName)
  assert.deepEqual(told.agent[2]?.network, { address: to.recipientAddress, type: '4' })
  const extract = only(render({ action: 'recording.exported' }))
  assert.deepEqual([extract.meta, extract.subtype], [undefined, [codes.record.extract]])
})

test('a patient that is the object of an event is its patient', () => {
  const object = { type: 'patient', id: patients[0], version: null }
  const { entity } = only(render({ action: 'report.access', object, patients: undefined }))
  assert.deepEqual(
    entity.map(({ role }) => role?.code),
    ['13', '1', '13'],
  )
})

test('without its private part an event says that the address and the query are withheld, and nothing of them', () => {
  const { agent, entity } = only(render({ action: 'recording.listed' }, { private: null }))
  assert.deepEqual(agent[0]?.network, { address: 'urn:auricle:address:withheld', type: '5' })
  assert.equal(atob(entity[0]?.query ?? ''), 'urn:auricle:query:withheld')
})

test('what was opened stands where it belongs', () => {
  const opened = {
    ip: '2001:db8::7',
    userAgent: 'curl/8',
    login: 'ward-3',
    number: '+15550100',
    patientReference: 'MRN 4711',
    query: 'heard=false',
    reason: 'Asked for by the ward',
  }
  const { agent, entity } = only(render({ action: 'recording.listed' }, { private: opened }))
  assert.deepEqual([agent[0]?.network, agent[0]?.name], [{ address: '2001:db8::7', type: '2' }, 'curl/8'])
  assert.equal(agent.at(-1)?.altId, 'ward-3')
  assert.equal(atob(entity[0]?.query ?? ''), 'heard=false&number=%2B15550100&patient=MRN%204711')
  assert.ok(
    entity
      .at(-1)
      ?.detail?.some(({ type, valueString }) => type === 'reason' && valueString === opened.reason),
  )
  // Where nothing was searched, the same is told beside the leaf.
  assert.ok(
    only(render({}, { private: opened }))
      .entity.at(-1)
      ?.detail?.some(({ type }) => type === 'query'),
  )
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map(units => String.fromCharCode(...units)),
  fc.constantFrom(' ', '\u0000', '"}],"resourceType":"Patient"', '\ud800', 'a\u0000b'),
)
const anyPart: fc.Arbitrary<PrivatePart> = fc.record(
  {
    ip: anyText,
    userAgent: anyText,
    login: anyText,
    number: anyText,
    patientReference: anyText,
    query: anyText,
    reason: anyText,
    recipientName: anyText,
    recipientAddress: anyText,
    what: anyText,
  },
  { requiredKeys: [] },
)

test('whatever a client made of the private part, the resource is as sound as without', () => {
  const all = samples()
  fc.assert(
    fc.property(fc.nat(all.length - 1), anyPart, (index, part) => {
      const sample = all[index]
      assert.ok(sample)
      for (const resource of toFhir(sample.event, { ...sample.context, private: part })) {
        const text = JSON.stringify(resource)
        assert.ok(text.isWellFormed())
        assert.deepEqual(
          judge(JSON.parse(text), () => true),
          [],
          sample.title,
        )
      }
    }),
    { numRuns: 2000 },
  )
})

test('what is private is in no resource for which it was not opened', () => {
  const part = samples().find(({ context }) => context.private !== null)?.context.private
  assert.ok(part)
  for (const { event, context } of samples()) {
    const text = JSON.stringify(toFhir(event, { ...context, private: null }))
    for (const secret of Object.values(part)) assert.ok(secret && !text.includes(secret), secret)
    // Nor in a query, which is in base64.
    for (const query of text.match(/(?<="query":")[^"]+/g) ?? [])
      assert.equal(atob(query), 'urn:auricle:query:withheld')
  }
})

test('every code of ours is in use', () => {
  const used = new Set<string>()
  const keyOf = (coding: { system?: string; code?: string }) => `${coding.system} ${coding.code}`
  for (const { event, context } of [...samples(), ...everySample()])
    for (const coding of codingsOf(toFhir(event, context))) used.add(keyOf(coding))
  assert.deepEqual(
    codingsOf({ ...codes }).filter(coding => !used.has(keyOf(coding))),
    [],
  )
})
