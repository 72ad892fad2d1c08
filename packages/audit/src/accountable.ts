// Which disclosures stand in the accounting that a patient may ask for: all but those that 45 CFR 164.528(a)(1) excepts.
//
// An exception counts only for recipients it can be meant for: a disclosure "for treatment" to a court is no treatment.
// What fits no exception is accounted for, since leaving out wrongly is the worse mistake.
import type { DisclosurePurpose, RecipientKind } from '@auricle/contract'

interface Exception {
  /** Paragraph of 164.528(a)(1). */
  readonly source: string
  readonly recipients: 'any' | readonly RecipientKind[]
}

/** Who takes part in treatment, payment and operations (164.506(c)). */
const participants = ['provider', 'health_plan', 'business_associate', 'insurer'] as const

/** By purpose; null where no exception is: the disclosures of 164.512, and those that nothing permitted. */
export const exceptions: Readonly<Record<DisclosurePurpose, Exception | null>> = {
  treatment: { source: '(i), 164.506', recipients: participants },
  payment: { source: '(i), 164.506', recipients: participants },
  operations: { source: '(i), 164.506', recipients: participants },
  to_individual: { source: '(ii), 164.502', recipients: ['individual'] },
  incidental: { source: '(iii), 164.502', recipients: 'any' },
  authorization: { source: '(iv), 164.508', recipients: 'any' },
  involved_in_care: { source: '(v), 164.510', recipients: ['family', 'clergy'] },
  national_security: { source: '(vi), 164.512(k)(2)', recipients: ['national_security'] },
  custody: { source: '(vii), 164.512(k)(5)', recipients: ['correctional', 'law_enforcement'] },
  limited_data_set: { source: '(viii), 164.514(e)', recipients: 'any' },
  required_by_law: null,
  public_health: null,
  abuse_or_neglect: null,
  health_oversight: null,
  judicial: null,
  law_enforcement: null,
  decedent: null,
  organ_donation: null,
  research: null,
  serious_threat: null,
  military: null,
  workers_compensation: null,
  not_permitted: null,
}

/** A disclosure to the patients themselves never is, whatever it was for: (ii). */
export function isAccountable(disclosure: {
  readonly purpose: DisclosurePurpose
  readonly recipientKind: RecipientKind
}): boolean {
  const { purpose, recipientKind } = disclosure
  if (recipientKind === 'individual') return false
  const exception = exceptions[purpose]
  if (exception === null) return true
  return exception.recipients !== 'any' && !exception.recipients.includes(recipientKind)
}
