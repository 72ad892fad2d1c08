// Holds every AuditEvent we make to FHIR R4 by two validators of others, and to IHE BALP by rules of our own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge, profiles } from '../../../../test/fhir/balp-rules.ts'
import { everySample, samples } from '../../../../test/fhir/events.ts'
import { publishedCodes } from '../../../../test/fhir/published-codes.ts'
import { loadValidators, type Remark } from '../../../../test/fhir/validators.ts'
import { EventAction } from '../event.ts'
import { toFhir } from './audit-event.ts'
import type { FhirAuditEvent } from './resource.ts'
import { searchsetJson, toSearchset } from './searchset.ts'

const validate = loadValidators()
const isPublished = publishedCodes()
/**
 * What they doubt with every right to: `fhir` has no value set of purposes; and BALP itself puts ISO 21089 into subtypes
 * its own code on a request and Provenance's custodian on the vault, as FHIR's extensible bindings allow.
 */
const known = [
  /v3-PurposeOfUse" could not be found|\(http:\/\/terminology\.hl7\.org\/CodeSystem\/v3-ActReason\) not found/,
  /\.subtype\[\d\] Code "[a-z]+" \(http:\/\/terminology\.hl7\.org\/CodeSystem\/iso-21089-lifecycle\) not found/,
  /\.type Code "(?:XrequestId|custodian)"/,
]
const isNew = ({ severity, text }: Remark) =>
  severity === 'error' || severity === 'fatal' || !known.some(one => one.test(text))

const json = (resource: object) => JSON.parse(JSON.stringify(resource))
const all = samples().map(sample => ({ ...sample, resources: toFhir(sample.event, sample.context) }))

describe('an event in FHIR', () => {
  it('is there for every action, outcome, with and without patients and private part', () => {
    const seen = new Set(
      all.map(({ event, context }) =>
        [event.action, event.outcome, event.patients !== undefined, context.private !== null].join(),
      ),
    )
    assert.equal(seen.size, EventAction.options.length * 3 * 2 * 2)
    assert.ok(all.every(({ resources }) => resources.length > 0))
  })

  it('is valid for both validators, and what they doubt is known', t => {
    const wrong = all.flatMap(({ title, resources }) =>
      resources.flatMap(resource =>
        validate(json(resource))
          .filter(isNew)
          .map(remark => ({ title, ...remark })),
      ),
    )
    assert.deepEqual(wrong.slice(0, 20), [])
    t.diagnostic(`${all.length} events, ${all.flatMap(({ resources }) => resources).length} resources`)
  })

  it('keeps every rule of BALP, whatever acts on whatever', t => {
    let count = 0
    const claimed = new Set<string>()
    const hold = (title: string, resources: readonly FhirAuditEvent[]) => {
      for (const resource of resources) {
        count += 1
        for (const profile of resource.meta?.profile ?? []) claimed.add(profile)
        assert.deepEqual(judge(json(resource), isPublished), [], title)
      }
    }
    for (const { title, resources } of all) hold(title, resources)
    for (const { title, event, context } of everySample()) hold(title, toFhir(event, context))
    assert.deepEqual([...claimed].sort(), [...profiles].sort(), 'each profile is claimed by some event')
    t.diagnostic(`${count} resources, ${profiles.length} profiles`)
  })

  it('is a page of a search that is valid too: empty, full, with what is wrong in the log', () => {
    const self = 'https://vault.clinic.example/v1/audit/events?limit=50'
    const resources = all.slice(0, 40).flatMap(sample => sample.resources)
    const findings = (['missing', 'altered', 'misfiled', 'private_altered'] as const).map((finding, seq) => ({
      id: `evt_${'0'.repeat(26)}`,
      place: seq === 1 ? null : { year: 2026, seq },
      finding,
    }))
    const pages = [
      { resources: [], findings: [], self, next: null },
      { resources, findings: [], self, next: `${self}&cursor=x` },
      { resources, findings, self, next: null },
    ]
    for (const page of pages) {
      const bundle = toSearchset(page)
      assert.deepEqual(validate(json(bundle)).filter(isNew), [])
      assert.equal([...searchsetJson(page)].join(''), JSON.stringify(bundle))
      const modes = (bundle.entry ?? []).map(({ search }) => search.mode)
      assert.deepEqual(modes, [
        ...page.resources.map(() => 'match'),
        ...(page.findings.length === 0 ? [] : ['outcome']),
      ])
    }
  })

  it('would not be valid with a mistake: which validator finds which', () => {
    const read = all
      .flatMap(({ resources }) => resources)
      .find(({ meta }) => meta?.profile[0]?.endsWith('.PatientRead'))
    assert.ok(read)
    const findersOf = (mistake: object) => {
      const remarks = validate(json({ ...read, ...mistake }))
      return [
        ...new Set(remarks.filter(({ severity }) => /^(error|fatal)$/.test(severity)).map(({ by }) => by)),
      ]
    }
    assert.deepEqual(findersOf({}), [])
    // Codes that FHIR requires: only one of the two looks.
    assert.deepEqual(findersOf({ action: 'Z' }), ['fhir'])
    assert.deepEqual(findersOf({ outcome: '99' }), ['fhir'])
    assert.deepEqual(findersOf({ recorded: undefined }), ['medplum', 'fhir'])
    assert.deepEqual(findersOf({ source: { site: 'a' } }), ['medplum', 'fhir'])
    assert.deepEqual(findersOf({ severity: 'high' }), ['medplum', 'fhir'])
    assert.ok(findersOf({ recorded: 'today' }).includes('medplum'))
    assert.ok(findersOf({ entity: [{ name: 'a', query: 'YQ==' }] }).includes('medplum'))
  })
})
