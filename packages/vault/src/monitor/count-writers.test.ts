// Numbers that were acknowledged and are not there: honest histories give nothing, and each kind of gap is seen.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '@auricle/audit'
import { newEventId, newTenantId, newWriterId, type WriterId } from '@auricle/contract'
import fc from 'fast-check'
import { countEvent, forgetWriters, noWriters, silentWriters, type TenantWriters } from './count-writers.ts'
import type { Candidate } from './finding.ts'

const tenantId = newTenantId()
const startMs = Date.parse('2026-03-01T00:00:00.000Z')

function event(writer: AuditEvent['writer'], facts: Partial<AuditEvent> = {}, seconds = 0): AuditEvent {
  return {
    v: 1,
    id: newEventId(),
    tenant: tenantId,
    at: new Date(startMs + seconds * 1000).toISOString(),
    action: 'recording.played',
    outcome: 'allowed',
    actor: { type: 'system', id: 'test', session: null },
    object: null,
    reasons: [],
    request: null,
    private: null,
    ...(writer === undefined ? {} : { writer }),
    ...facts,
  }
}

/** A life of a writer: its beginning, events with a beat after every `every` of them, its end. */
function life(id: WriterId, events: number, every = 3): readonly AuditEvent[] {
  const all: AuditEvent[] = []
  let n = 0
  let beat = 0
  let unsaid = 0
  const add = (facts: Partial<AuditEvent> = {}) => all.push(event({ id, name: 'test', n: n++ }, facts, n))
  const say = (action: 'writer.heartbeat' | 'writer.stopped') => {
    add({ action, detail: { kind: 'beat', beat: beat++, acknowledged: unsaid < n ? [[unsaid, n - 1]] : [] } })
    unsaid = n - 1
  }
  add({ action: 'writer.started', detail: { kind: 'started', receiptKey: null } })
  for (let index = 1; index <= events; index++) {
    add()
    if (index % every === 0) say('writer.heartbeat')
  }
  say('writer.stopped')
  return all
}

function read(events: readonly AuditEvent[]): { state: TenantWriters; findings: readonly Candidate[] } {
  let state = noWriters
  const findings: Candidate[] = []
  events.forEach((given, seq) => {
    const counted = countEvent(state, given, { tenantId, year: 2026, seq })
    state = counted.state
    findings.push(...counted.findings)
  })
  return { state, findings }
}

const codes = (events: readonly AuditEvent[]) => [...new Set(read(events).findings.map(({ code }) => code))]

describe('writers', () => {
  test('that tell everything give nothing, however their events come between each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (lengths, choices) => {
          const lives = lengths.map(length => [...life(newWriterId(), length)])
          const merged: AuditEvent[] = []
          while (lives.some(({ length }) => length > 0)) {
            const alive = lives.filter(({ length }) => length > 0)
            const next = alive[(choices.next().value ?? 0) % alive.length]?.shift()
            if (next !== undefined) merged.push(next)
          }
          assert.deepEqual(read(merged).findings, [])
        },
      ),
    )
  })

  test('of whose events any one is taken out leave a gap, up to the last of their life', () => {
    const whole = life(newWriterId(), 10)
    for (let index = 0; index < whole.length - 1; index++) {
      const without = whole.toSpliced(index, 1)
      assert.ok(read(without).findings.length > 0, `number ${index}`)
      for (const { name } of read(without).findings) assert.equal(name, 'counter_gap')
    }
  })

  test('whose beats come before what they acknowledge, or twice, or in another order, are seen', () => {
    const whole = life(newWriterId(), 6)
    const beats = whole.flatMap(({ action }, index) => (action === 'writer.heartbeat' ? [index] : []))
    const [first = 0, second = 0] = beats
    const early = whole.toSpliced(first, 1).toSpliced(first - 1, 0, whole[first] ?? assert.fail())
    assert.deepEqual(codes(early), ['number'])
    const swapped = whole
      .with(first, whole[second] ?? assert.fail())
      .with(second, whole[first] ?? assert.fail())
    assert.ok(codes(swapped).includes('beat'))
    assert.deepEqual(codes([...whole, whole[2] ?? assert.fail()]), ['number_twice'])
  })

  test('are expected of every event after the first that has one, but for the beginning of a year', () => {
    const before = event(undefined)
    const opened = event(undefined, { action: 'log.opened' })
    const counted = life(newWriterId(), 3)
    assert.deepEqual(codes([opened, before, ...counted, opened]), [])
    assert.deepEqual(codes([opened, ...counted, before]), ['uncounted'])
  })

  test('that fall silent are told of for a day; those that stopped are not', () => {
    const whole = life(newWriterId(), 5)
    const at = (seconds: number) => ({
      now: new Date(startMs + seconds * 1000),
      silenceMs: 60_000,
      forgetMs: 86_400_000,
    })
    const silent = read(whole.slice(0, -1)).state
    assert.deepEqual(silentWriters(tenantId, silent, at(30)), [])
    assert.deepEqual(
      silentWriters(tenantId, silent, at(120)).map(({ name, code }) => [name, code]),
      [['missing_heartbeat', 'writer']],
    )
    assert.deepEqual(silentWriters(tenantId, silent, at(100_000)), [])
    assert.deepEqual(silentWriters(tenantId, read(whole).state, at(120)), [])
    // One that goes on after days of silence still has its count; one that stopped needs none.
    const later = new Date(startMs + 100_000)
    assert.deepEqual(forgetWriters(silent, later), silent)
    assert.deepEqual(forgetWriters(read(whole).state, later).writers, {})
  })
})
