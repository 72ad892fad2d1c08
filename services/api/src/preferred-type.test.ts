// Holds the choice of a content type to RFC 9110, and to never failing on what a client wrote.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { preferredType } from './preferred-type.ts'

const json = 'application/json'
const fhir = 'application/fhir+json'
const offers = [json, fhir] as const

const cases: readonly (readonly [accept: string | undefined, wanted: string | null])[] = [
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['application/*', json],
  [json, json],
  [fhir, fhir],
  ['Application/FHIR+JSON', fhir],
  [`${fhir}; charset=utf-8`, fhir],
  [`${fhir}; fhirVersion=4.0`, fhir],
  [`${fhir};fhirVersion="4.0"`, fhir],
  [`${fhir}; fhirVersion=5.0`, null],
  [`${fhir}; fhirVersion=5.0, */*;q=0.1`, json],
  [`${fhir}, */*`, fhir],
  [`${fhir};q=1.0, application/json+fhir;q=0.9`, fhir],
  [`${json};q=0.5, ${fhir}`, fhir],
  [`${json}, ${fhir};q=0.5`, json],
  [`${fhir};q=0.2, ${json};q=0.1`, fhir],
  [`${fhir}, ${json}`, fhir],
  [`${json}, ${fhir}`, json],
  [`${json};q=0, */*`, fhir],
  [`${json};q=0.000`, null],
  [`*/*;q=0`, null],
  [`text/html`, null],
  [`text/html, application/xml;q=0.9`, null],
  [`text/html, application/xml;q=0.9, */*;q=0.8`, json],
  // An upper limit is said by the more exact range, wherever it stands.
  [`*/*, ${json};q=0.1, ${fhir};q=0.4`, fhir],
  [`application/*;q=0, ${fhir}`, fhir],
  // A quoted comma or semicolon parts nothing.
  [`${fhir};x="a, ${json};q=0"`, fhir],
  [`text/plain;x="\\"", ${fhir}`, fhir],
  // What cannot be read is passed over; where nothing else is there, it is as if nothing was said.
  [`nonsense, ${fhir}`, fhir],
  [`${json};q=2, ${fhir}`, fhir],
  ['nonsense', json],
  ['*/json', json],
]

test('what a client is given', () => {
  for (const [accept, wanted] of cases) assert.equal(preferredType(accept, offers), wanted, accept)
})

test('any header chooses an offer or none, and never one that it rules out', () => {
  const range = fc
    .tuple(fc.constantFrom(json, fhir, '*/*', 'application/*', 'text/html'), fc.integer({ min: 0, max: 10 }))
    .map(([type, tenths]) => `${type};q=${tenths === 10 ? '1' : `0.${tenths}`}`)
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), ranges => {
      const chosen = preferredType(ranges.join(', '), offers)
      if (chosen === null) return
      const own = ranges.find(text => text.startsWith(`${chosen};`))
      assert.ok(own === undefined || !own.endsWith('q=0.0'), ranges.join(', '))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), header => {
      const chosen = preferredType(header, offers)
      assert.ok(chosen === null || offers.some(offer => offer === chosen))
    }),
  )
})
