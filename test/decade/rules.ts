// What the practice of the decade keeps by: the rules that it begins with, and the changes that it comes to think of.
import type { MailboxId, Period, RuleDefinition } from '@auricle/contract'
import type { Random } from '../harness/random.ts'

const everything: RuleDefinition['appliesTo'] = {
  kinds: null,
  mailboxes: null,
  labels: null,
  recordSet: null,
}
const period = (years: number, months = 0, days = 0): Period => ({ years, months, days })

const definition = (change: Partial<RuleDefinition>): RuleDefinition => ({
  ...{ appliesTo: everything, keep: period(1), from: 'start', minors: null, dispose: 'review' },
  ...{ disposeAfterDays: 0, lock: false, source: null, preset: null },
  ...change,
})

const where = (change: Partial<RuleDefinition['appliesTo']>) => ({ appliesTo: { ...everything, ...change } })

export const firstRules = (
  mailboxes: readonly MailboxId[],
): readonly { readonly name: string; readonly definition: RuleDefinition }[] => {
  const [, , , treatment, children] = mailboxes
  if (treatment === undefined || children === undefined) throw new RangeError('too few mailboxes')
  return [
    {
      name: 'Voicemail',
      definition: definition({
        ...where({ kinds: ['voicemail'] }),
        dispose: 'automatic',
        disposeAfterDays: 10,
      }),
    },
    { name: 'Calls', definition: definition({ ...where({ kinds: ['recording'] }), keep: period(1, 6) }) },
    { name: 'Record set', definition: definition({ ...where({ recordSet: 'in' }), keep: period(4) }) },
    {
      name: 'Treatment',
      definition: definition({
        ...where({ mailboxes: [treatment] }),
        from: 'last_encounter',
        keep: period(1),
      }),
    },
    {
      name: 'Children',
      definition: definition({
        ...where({ mailboxes: [children] }),
        ...{ keep: period(2), minors: { majorityAge: 18, keep: period(0, 6) } },
      }),
    },
    {
      name: 'Psychotherapy',
      definition: definition({
        ...where({ labels: ['psychotherapy'] }),
        ...{ keep: period(2), lock: true, dispose: 'automatic' },
      }),
    },
    { name: 'Very important', definition: definition({ ...where({ labels: ['vip'] }), dispose: 'never' }) },
  ]
}

/** Narrow more often than not: a practice seldom changes what it does with everything. */
export function drawRule(random: Random, mailboxes: readonly MailboxId[]): RuleDefinition {
  return definition({
    ...where({
      mailboxes: [random.pick(mailboxes)],
      labels: random.integer(0, 3) === 0 ? null : [random.pick(['psychotherapy', 'part2', 'employee'])],
      kinds: random.integer(0, 2) === 0 ? ['voicemail'] : null,
    }),
    keep: drawPeriod(random),
    from: random.pick(['start', 'start', 'start', 'discharged', 'last_encounter']),
    dispose: random.pick(['automatic', 'automatic', 'review', 'review', 'never']),
    disposeAfterDays: random.pick([0, 0, 15, 60]),
    lock: random.integer(0, 4) === 0,
  })
}

/** Another version of it, which may keep longer or shorter. */
export function changeRule(random: Random, from: RuleDefinition): RuleDefinition {
  switch (random.integer(0, 4)) {
    case 0:
      return { ...from, keep: drawPeriod(random) }
    case 1:
      return { ...from, keep: { ...from.keep, months: from.keep.months + random.integer(1, 6) } }
    case 2:
      return { ...from, keep: { ...from.keep, days: from.keep.days + random.integer(1, 40) } }
    case 3:
      return { ...from, disposeAfterDays: random.pick([0, 20, 45]) }
    default:
      return { ...from, dispose: from.dispose === 'automatic' ? 'review' : 'automatic' }
  }
}

const drawPeriod = (random: Random): Period =>
  period(random.pick([0, 1, 1, 2, 3]), random.integer(0, 11), random.integer(1, 30))
