// Which disclosures are accounted for: the rule's own words as a table of examples, and what holds for every pair.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DisclosurePurpose, RecipientKind } from '@auricle/contract'
import { exceptions, isAccountable } from './accountable.ts'

const pairs = DisclosurePurpose.options.flatMap(purpose =>
  RecipientKind.options.map(recipientKind => ({ purpose, recipientKind })),
)

test('nothing that goes to the patients themselves is', () => {
  for (const purpose of DisclosurePurpose.options) {
    assert.equal(isAccountable({ purpose, recipientKind: 'individual' }), false, purpose)
  }
})

test('the nine exceptions of 164.528(a)(1) name their paragraph, each once or for its three kinds', () => {
  const sources = Object.values(exceptions).flatMap(exception => exception?.source.split(',', 1) ?? [])
  const expected = ['(i)', '(i)', '(i)', '(ii)', '(iii)', '(iv)', '(v)', '(vi)', '(vii)', '(viii)']
  assert.deepEqual(sources, expected)
})

test('what no exception is for always is, but to the patients', () => {
  for (const { purpose, recipientKind } of pairs) {
    if (exceptions[purpose] !== null || recipientKind === 'individual') continue
    assert.equal(isAccountable({ purpose, recipientKind }), true, `${purpose} ${recipientKind}`)
  }
})

test('an exception does not hold for whom it cannot be meant', () => {
  const wrong = [
    ['treatment', 'court'],
    ['treatment', 'law_enforcement'],
    ['payment', 'employer'],
    ['operations', 'other'],
    ['operations', 'health_oversight'],
    ['to_individual', 'attorney'],
    ['involved_in_care', 'employer'],
    ['national_security', 'law_enforcement'],
    ['custody', 'court'],
  ] as const
  for (const [purpose, recipientKind] of wrong) {
    assert.equal(isAccountable({ purpose, recipientKind }), true, `${purpose} ${recipientKind}`)
  }
})

test('and does for those it is meant for', () => {
  const right = [
    ['treatment', 'provider'],
    ['payment', 'health_plan'],
    ['operations', 'business_associate'],
    ['incidental', 'other'],
    ['authorization', 'attorney'],
    ['involved_in_care', 'family'],
    ['national_security', 'national_security'],
    ['custody', 'correctional'],
    ['custody', 'law_enforcement'],
    ['limited_data_set', 'researcher'],
  ] as const
  for (const [purpose, recipientKind] of right) {
    assert.equal(isAccountable({ purpose, recipientKind }), false, `${purpose} ${recipientKind}`)
  }
})
