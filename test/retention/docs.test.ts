// Every worked example of docs/retention-rules.md comes out as the page says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Period, RetentionEventKind, RuleDefinition, RuleId } from '@auricle/contract'
import { decide, explain, type RetentionFacts, type RuleInForce, stateAt } from '@auricle/retention'
import { holdId } from './cases.ts'

const page = readFileSync(new URL('../../docs/retention-rules.md', import.meta.url), 'utf8')

/** What an example says; the rest of a recording is ordinary. Times are RFC 3339. */
interface Example {
  readonly zone: string
  readonly now: string
  readonly rules: readonly unknown[]
  readonly recording: {
    readonly receivedAt: string
    readonly birthDate?: string
    readonly events?: readonly { readonly kind: unknown; readonly at: string }[]
  }
  readonly matter?: string
}

/** Its minimum is one day. */
function recorded({ receivedAt, birthDate, events }: Example['recording']): RetentionFacts {
  return {
    kind: 'voicemail',
    mailboxId: null,
    labels: [],
    startedAt: null,
    receivedAt: new Date(receivedAt),
    endedAt: null,
    birthDate: birthDate ?? null,
    events: (events ?? []).map(({ kind, at }) => ({
      kind: RetentionEventKind.parse(kind),
      at: new Date(at),
    })),
    recordSet: 'in',
    floor: new Date(Date.parse(receivedAt) + 86_400_000),
    lockedUntil: null,
  }
}

const asRule = (definition: unknown, index: number): RuleInForce => ({
  ruleId: RuleId.parse(`rul_0${String(index + 1).repeat(25)}`),
  version: 1,
  name: ['first', 'second'][index] ?? 'other',
  definition: RuleDefinition.parse(definition),
})

const examples = [...page.matchAll(/```json\n(?<asked>.*?)```\n\n```text\n(?<words>.*?)```/gs)]

test('the page has its examples', () => {
  assert.equal(examples.length, 4)
})

for (const [index, { groups }] of examples.entries()) {
  test(`example ${index + 1} is explained in these words`, () => {
    const { zone, now, rules, recording, matter }: Example = JSON.parse(groups?.['asked'] ?? '')
    const decision = decide(recorded(recording), rules.map(asRule), { zone })
    const state = stateAt(decision, matter === undefined ? [] : [{ holdId }], new Date(now))
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
    const definition = { keep: period, dispose: 'review' }
    const facts = recorded({ receivedAt: from })
    const { dueAt } = decide(facts, [asRule(definition, 0)], { zone })
    assert.equal(dueAt?.toISOString().replace('.000Z', 'Z'), until, `${from} ${zone} ${keep}`)
  }
})
