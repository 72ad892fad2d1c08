// Shows that the rules can fail: a planted mistake for each, found by the rule it breaks and by no other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  judge,
  type LooseAgent,
  type LooseCoding,
  type LooseEntity,
  type LooseEvent,
  rules,
} from '../../../../test/fhir/balp-rules.ts'
import { everySample, samples } from '../../../../test/fhir/events.ts'
import { publishedCodes } from '../../../../test/fhir/published-codes.ts'
import { toFhir } from './audit-event.ts'

const isPublished = publishedCodes()
const all: readonly LooseEvent[] = [...samples(), ...everySample()].flatMap(({ event, context }) =>
  toFhir(event, context).map(resource => JSON.parse(JSON.stringify(resource))),
)

/** A sound event of the profile, or of none: with a person who acts, and the id of the request. */
function sound(profile: string): LooseEvent {
  const found = all.find(
    ({ meta, agent, entity }) =>
      (profile === 'none' ? meta === undefined : meta?.profile?.[0]?.endsWith(`.${profile}`)) &&
      agent?.some(({ policy }) => policy !== undefined) &&
      entity?.some(({ type }) => type?.code === 'XrequestId'),
  )
  assert.ok(found, profile)
  return structuredClone(found)
}

function agent(event: LooseEvent, code: string): LooseAgent {
  const found = event.agent?.find(({ type }) => type?.coding?.[0]?.code === code)
  assert.ok(found, code)
  return found
}

function entity(event: LooseEvent, code: string): LooseEntity {
  const found = event.entity?.find(({ type }) => type?.code === code)
  assert.ok(found, code)
  return found
}

const again = <Value>(list: Value[] | undefined, value: Value): Value => {
  const copy = structuredClone(value)
  list?.push(copy)
  return copy
}

const role = (code: string, display: string): LooseCoding => ({
  system: 'http://terminology.hl7.org/CodeSystem/object-role',
  code,
  display,
})
const application: LooseCoding = {
  system: 'http://dicom.nema.org/resources/ontology/DCM',
  code: '110100',
  display: 'Application Activity',
}
const base = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'

const disclosure = 'PrivacyDisclosure.Source'
const planted: readonly (readonly [rule: string, profile: string, plant: (event: LooseEvent) => unknown])[] =
  [
    ['id-form', 'PatientRead', event => Object.assign(event, { id: 'evt_1' })],
    ['action-code', 'none', event => Object.assign(event, { action: 'Z' })],
    ['outcome-code', disclosure, event => Object.assign(event, { outcome: '99' })],
    ['recorded-instant', 'PatientRead', event => Object.assign(event, { recorded: '2026-11-22' })],
    ['recorded-instant', 'none', event => Object.assign(event, { recorded: '2026-11-42T00:00:00.000Z' })],
    [
      'network-code',
      'PatientRead',
      event => Object.assign(agent(event, '110153').network ?? {}, { type: '9' }),
    ],
    ['one-requestor', 'PatientRead', event => Object.assign(agent(event, '110152'), { requestor: true })],
    ['one-requestor', 'none', event => delete event.agent?.[0]?.requestor],
    ['sev-1', 'PatientQuery', event => Object.assign(entity(event, '2'), { name: 'search' })],
    ['entity-systems', 'PatientRead', event => Object.assign(entity(event, '4'), { role: application })],
    ['published-codes', 'PatientRead', event => Object.assign(event.type ?? {}, { display: 'REST' })],
    ['published-codes', 'none', event => Object.assign(event.type ?? {}, { code: '999999' })],
    ['plain-strings', 'none', event => Object.assign(event.source ?? {}, { site: ' ' })],
    ['plain-strings', 'PatientRead', event => Object.assign(event.source ?? {}, { site: 'a\u0007' })],
    ['no-empty-list', 'none', event => Object.assign(entity(event, '4'), { detail: [] })],
    [
      'no-whole-token',
      'none',
      event => Object.assign(event.agent?.[0] ?? {}, { policy: ['aur_pat_secret'] }),
    ],
    [
      'known-profile',
      'PatientRead',
      event => Object.assign(event, { meta: { profile: [`${base}Nothing`] } }),
    ],
    ['patient-profile', 'PatientRead', event => Object.assign(event, { meta: { profile: [`${base}Read`] } })],

    ['rest-type', 'PatientRead', event => Object.assign(event, { type: application })],
    ['rest-subtype', 'PatientRead', event => event.subtype?.shift()],
    ['rest-subtype', 'PatientUpdate', event => again(event.subtype, event.subtype?.[0] ?? {})],
    ['rest-action', 'PatientRead', event => Object.assign(event, { action: 'E' })],
    ['rest-action', 'Query', event => Object.assign(event, { action: 'R' })],
    ['rest-success', 'PatientRead', event => Object.assign(event, { outcome: '4' })],
    ['client-once', 'PatientRead', event => again(event.agent, agent(event, '110152'))],
    ['client-once', 'PatientDelete', event => again(event.agent, agent(event, '110150'))],
    ['server-once', 'PatientQuery', event => again(event.agent, agent(event, '110152'))],
    ['server-once', 'PatientDelete', event => again(event.agent, agent(event, 'custodian'))],
    ['client-who', 'PatientRead', event => delete agent(event, '110152').who],
    ['server-who', 'PatientCreate', event => Object.assign(agent(event, '110152'), { who: {} })],
    ['client-network', 'PatientRead', event => delete agent(event, '110152').network],
    ['server-network', 'PatientRead', event => delete agent(event, '110153').network?.address],
    ['no-media', 'PatientRead', event => Object.assign(agent(event, '110153'), { media: application })],
    [
      'user-once',
      'PatientRead',
      event => Object.assign(again(event.agent, agent(event, 'IRCP')), { requestor: false }),
    ],
    [
      'user-type',
      'PatientRead',
      event =>
        Object.assign(agent(event, 'IRCP').type?.coding?.[0] ?? {}, {
          code: 'AUT',
          display: 'author (originator)',
        }),
    ],
    ['user-who', 'PatientUpdate', event => Object.assign(agent(event, 'AUT'), { who: {} })],
    [
      'user-requestor',
      'PatientRead',
      event => {
        agent(event, 'IRCP').requestor = false
        agent(event, '110152').requestor = true
      },
    ],
    [
      'user-no-network',
      'PatientQuery',
      event => Object.assign(agent(event, 'IRCP'), { network: { address: '203.0.113.7', type: '2' } }),
    ],
    ['data-once', 'PatientRead', event => again(event.entity, entity(event, '2'))],
    ['data-role', 'PatientRead', event => Object.assign(entity(event, '2'), { role: role('24', 'Query') })],
    ['data-what', 'PatientDelete', event => delete entity(event, '2').what],
    ['query-once', 'Query', event => again(event.entity, entity(event, '2'))],
    ['query-role', 'PatientQuery', event => Object.assign(entity(event, '2'), { role: role('3', 'Report') })],
    ['query-raw', 'PatientQuery', event => Object.assign(entity(event, '2'), { query: 'number=+15550100' })],
    ['query-raw', 'Query', event => delete entity(event, '2').query],
    ['query-bare', 'Query', event => Object.assign(entity(event, '2'), { what: { display: 'a search' } })],
    ['patient-once', 'PatientRead', event => again(event.entity, entity(event, '1'))],
    ['patient-once', disclosure, event => again(event.entity, entity(event, '1'))],
    ['patient-role', 'PatientQuery', event => Object.assign(entity(event, '1'), { role: role('6', 'User') })],
    ['patient-what', 'PatientRead', event => delete entity(event, '1').what?.type],
    ['transaction-once', 'PatientRead', event => again(event.entity, entity(event, 'XrequestId'))],
    ['transaction-value', 'PatientRead', event => delete entity(event, 'XrequestId').what],

    ['disclosure-type', disclosure, event => Object.assign(event, { type: application })],
    ['disclosure-subtype', disclosure, event => delete event.subtype],
    ['disclosure-action', disclosure, event => Object.assign(event, { action: 'C' })],
    ['no-modifier', disclosure, event => Object.assign(event, { modifierExtension: [{ url: 'urn:x' }] })],
    ['source-once', disclosure, event => again(event.agent, agent(event, '110153'))],
    [
      'source-observes',
      disclosure,
      event => Object.assign(event.source ?? {}, { observer: { display: 'x' } }),
    ],
    ['source-network', disclosure, event => delete agent(event, '110153').network],
    ['recipient-once', disclosure, event => again(event.agent, agent(event, '110152'))],
    ['recipient-who', disclosure, event => delete agent(event, '110152').who],
    ['recipient-network', disclosure, event => delete agent(event, '110152').network?.type],
    [
      'disclosed-data',
      disclosure,
      event => Object.assign(event, { entity: event.entity?.filter(({ type }) => type?.code !== '2') }),
    ],
  ]

test('each planted mistake is found by the rule that it breaks', () => {
  for (const [rule, profile, plant] of planted) {
    const event = sound(profile)
    assert.deepEqual(judge(event, isPublished), [], `${profile} as it is`)
    plant(event)
    const found = judge(event, isPublished)
    // A network without its parts is also no code of a network.
    const expected = rule === 'recipient-network' ? ['network-code', rule] : [rule]
    assert.deepEqual(found, expected, `${rule} in ${profile}`)
  }
})

test('each rule has a mistake that it finds', t => {
  assert.deepEqual(
    rules.map(({ name }) => name).filter(name => !planted.some(([rule]) => rule === name)),
    [],
  )
  t.diagnostic(`${rules.length} rules, ${planted.length} planted mistakes`)
})
