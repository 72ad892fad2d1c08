// Every worked example of docs/retention-rules.md comes out as the page says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Period, RetentionEventKind, RuleDefinition, RuleId } from '@auricle/contract'
import { decide, explain, type RetentionFacts, type RuleInForce, stateAt } from '@auricle/retention'
import { z } from 'zod'
import { holdId } from './cases.ts'

const page = readFileSync(new URL('../../docs/retention-rules.md', import.meta.url), 'utf8')

const time = z.iso.datetime().transform(text => new Date(text))
const Example = z.strictObject({
  zone: z.string(),
  now: time,
  rules: z.array(RuleDefinition),
  recording: z.strictObject({
    receivedAt: time,
    birthDate: z.string().nullable().default(null),
    events: z.array(z.strictObject({ kind: RetentionEventKind, at: time })).default([]),
  }),
  matter: z.string().optional(),
})

/** Its minimum is one day. */
function recorded({ receivedAt, birthDate, events }: z.infer<typeof Example>['recording']): RetentionFacts {
  return {
    kind: 'voicemail',
    mailboxId: null,
    labels: [],
    startedAt: null,
    receivedAt,
    endedAt: null,
    birthDate,
    events,
    recordSet: 'in',
    floor: new Date(receivedAt.getTime() + 86_400_000),
    lockedUntil: null,
  }
}

const asRule = (definition: RuleDefinition, index: number): RuleInForce => ({
  ruleId: RuleId.parse(`rul_0${String(index + 1).repeat(25)}`),
  version: 1,
  name: ['first', 'second'][index] ?? 'other',
  definition,
})

const examples = [...page.matchAll(/```json\n(?<asked>.*?)```\n\n```text\n(?<words>.*?)```/gs)]

test('the page has its examples', () => {
  assert.equal(examples.length, 4)
})

for (const [index, { groups }] of examples.entries()) {
  test(`example ${index + 1} is explained in these words`, () => {
    const { zone, now, rules, recording, matter } = Example.parse(JSON.parse(groups?.['asked'] ?? ''))
    const decision = decide(recorded(recording), rules.map(asRule), { zone })
    const state = stateAt(decision, matter === undefined ? [] : [{ holdId }], now)
    const matters = new Map(matter === undefined ? [] : [[holdId, matter]])
    const words = explain(decision, state, { matters })
    assert.equal(`${words.join('\n')}\n`, groups?.['words'])
  })
}

const rows = [
  ...page.matchAll(/^\| `(?<from>[^`]+)`[^|]*\| (?<zone>\S+) \| (?<keep>[^|]+) \| `(?<until>[^`]+)` \|$/gm),
]

test('the page counts by the calendar', () => {
  assert.equal(rows.length, 11)
  for (const { groups } of rows) {
    const { from = '', zone = '', keep = '', until } = groups ?? {}
    const parts = keep.split(', ').map(part => part.split(' '))
    const period = Period.parse(
      Object.fromEntries(parts.map(([count, unit]) => [`${unit?.replace(/s$/, '')}s`, Number(count)])),
    )
    const definition = RuleDefinition.parse({ keep: period, dispose: 'review' })
    const facts = recorded({ receivedAt: new Date(from), birthDate: null, events: [] })
    const { dueAt } = decide(facts, [asRule(definition, 0)], { zone })
    assert.equal(dueAt?.toISOString().replace('.000Z', 'Z'), until, `${from} ${zone} ${keep}`)
  }
})
