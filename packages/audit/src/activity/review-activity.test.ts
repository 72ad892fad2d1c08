// Holds the weekly review to a week of ordinary events with anomalies planted in it: all of those, and no other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventId, newEventId } from '@auricle/contract'
import fc from 'fast-check'
import type { EventAction } from '../event.ts'
import {
  type ActivityEvent,
  type ActivityFacts,
  activityKinds,
  isSameSurname,
  reviewActivity,
} from './review-activity.ts'
import { workingHours } from './working-hours.ts'

const hours = { timeZone: 'America/Chicago', opensAt: '07:00', closesAt: '19:00', days: [1, 2, 3, 4, 5] }
const monday = Date.UTC(2026, 2, 2)
const hourMs = 3_600_000
const facts: ActivityFacts = { isWithinHours: workingHours(hours), usual: () => 30 }

interface Planted extends ActivityEvent {
  readonly about?: { readonly isRestricted: boolean; readonly isSameName: boolean }
}

const event = (
  actorId: string,
  atMs: number,
  action: EventAction,
  objectId: string | null = null,
  outcome: ActivityEvent['outcome'] = 'allowed',
): Planted => ({ id: newEventId(), at: new Date(atMs), action, outcome, actorId, objectId })

/** Chicago is six hours behind UTC in early March. */
const local = (day: number, hour: number) => monday + day * 24 * hourMs + (hour + 6) * hourMs

/** Of 200 people who hear up to 40 recordings each, mistype a password now and then, and go home in the evening. */
function ordinaryWeek(count: number, next: () => number): Planted[] {
  return Array.from({ length: count }, (_, index) => {
    const actor = `usr_${index % 200}`
    const at = local(Math.floor(next() * 5), 7 + next() * 11.9)
    const dice = next()
    if (dice < 0.3) return event(actor, at, 'recording.played', `rec_${Math.floor(next() * 40)}`)
    if (dice < 0.5) return event(actor, at, 'recording.listed')
    if (dice < 0.501) return event(actor, local(index % 5, 8), 'session.refused', null, 'failed')
    return event(actor, at, 'recording.served')
  })
}

test('twenty anomalies in a hundred thousand events are all found, and nothing else', () => {
  let state = 7
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
  const planted: Planted[] = []
  const expected = new Set<string>()
  const plant = (kind: string, actor: string, events: readonly Planted[]) => {
    expected.add(`${kind} ${actor}`)
    planted.push(...events)
  }
  for (let n = 0; n < 3; n++) {
    plant('after_hours', `night_${n}`, [event(`night_${n}`, local(n, 2), 'recording.played', 'rec_1')])
    plant('volume', `many_${n}`, [
      ...Array.from({ length: 100 }, (_, index) =>
        event(`many_${n}`, local(1, 9) + index, 'recording.exported', `rec_${index}`),
      ),
    ])
    expected.add(`exports many_${n}`)
    plant('failed_sign_ins', `guess_${n}`, [
      ...Array.from({ length: 6 }, (_, index) =>
        event(`guess_${n}`, local(2, 10) + index * 60_000, 'session.refused', null, 'denied'),
      ),
    ])
    plant('break_glass', `glass_${n}`, [event(`glass_${n}`, local(3, 11), 'break_glass.started')])
    plant('same_name', `name_${n}`, [
      {
        ...event(`name_${n}`, local(3, 12), 'recording.shown', 'rec_2'),
        about: { isRestricted: false, isSameName: true },
      },
    ])
  }
  plant('restricted', 'vip_0', [
    {
      ...event('vip_0', local(0, 9), 'recording.played', 'rec_3'),
      about: { isRestricted: true, isSameName: false },
    },
  ])
  plant('removals', 'remover', [event('remover', local(0, 9), 'private_part.dropped', 'evt_1')])
  plant(
    'refusals',
    'prober',
    Array.from({ length: 12 }, (_, index) =>
      event('prober', local(4, 9) + index, 'recording.played', `rec_${index}`, 'denied'),
    ),
  )
  const week = [...ordinaryWeek(100_000, next), ...planted].sort((a, b) => a.at.getTime() - b.at.getTime())
  const review = reviewActivity(facts)
  for (const { about, ...one } of week) review.add(one, about)
  const found = review.findings()
  assert.deepEqual(new Set(found.map(({ kind, actorId }) => `${kind} ${actorId}`)), expected)
  assert.ok(expected.size >= 20)
  assert.deepEqual(
    found.map(({ kind }) => activityKinds.indexOf(kind)),
    found.map(({ kind }) => activityKinds.indexOf(kind)).toSorted((a, b) => a - b),
  )
  const volume = found.find(({ kind }) => kind === 'volume')
  assert.deepEqual([volume?.eventCount, volume?.usual], [100, 30])
})

test('a burst of failures is named whole and each failure once, however it is spread', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 40 }), minutes => {
      const times = minutes.toSorted((a, b) => a - b).map(minute => monday + minute * 60_000)
      const review = reviewActivity(facts)
      const events = times.map(at => event('one', at, 'session.refused', null, 'denied'))
      for (const one of events) review.add(one)
      const isInBurst = (index: number) =>
        times.some((_, start) => {
          const members = times.slice(start, start + 5)
          const [first = 0] = members
          return (
            members.length === 5 &&
            (members.at(-1) ?? 0) - first < hourMs &&
            index >= start &&
            index < start + 5
          )
        })
      const expected = events.filter((_, index) => isInBurst(index)).map(({ id }) => id)
      const [finding] = review.findings()
      const ids: readonly EventId[] = finding?.eventIds ?? []
      assert.deepEqual(new Set(ids), new Set(expected))
      assert.equal(finding?.eventCount ?? 0, expected.length)
    }),
  )
})

test('what was denied or failed is no access', () => {
  const review = reviewActivity(facts)
  const about = { isRestricted: true, isSameName: true }
  review.add(event('one', local(0, 2), 'recording.played', 'rec_1', 'denied'), about)
  review.add(event('one', local(0, 2), 'recording.exported', 'rec_1', 'failed'), about)
  review.add(event('one', local(0, 2), 'break_glass.started', null, 'denied'))
  assert.deepEqual(review.findings(), [])
})

for (const [one, other, expected] of [
  ['Jane Doe', 'DOE, JOHN', true],
  ['Jane Doe', 'John Doe, MD', true],
  ['Zoë Ibáñez', 'ibanez, z', true],
  ['Jane Doe', 'Doe Plumbing', false],
  ['Jane Doe', '+1 312 555 0100', false],
  ['Jane Doe', '', false],
  ['', '', false],
  ["Ann O'Neil", "Shaun O'Neil", true],
] as const) {
  test(`surnames of "${one}" and "${other}" are ${expected ? '' : 'not '}alike`, () => {
    assert.equal(isSameSurname(one, other), expected)
    assert.equal(isSameSurname(other, one), expected)
  })
}

test('working hours are those of the place, also past midnight and when clocks change', () => {
  const isOpen = workingHours(hours)
  // 2026-03-08 is the Sunday on which Chicago puts its clocks forward.
  assert.equal(isOpen(new Date('2026-03-06T13:00:00Z')), true) // Friday, 07:00
  assert.equal(isOpen(new Date('2026-03-06T12:59:59Z')), false)
  assert.equal(isOpen(new Date('2026-03-09T12:00:00Z')), true) // Monday, 07:00 of summer time
  assert.equal(isOpen(new Date('2026-03-09T11:59:59Z')), false)
  assert.equal(isOpen(new Date('2026-03-07T18:00:00Z')), false) // Saturday
  const night = workingHours({ timeZone: 'UTC', opensAt: '22:00', closesAt: '06:00', days: [5] })
  assert.equal(night(new Date('2026-03-06T23:00:00Z')), true) // Friday
  assert.equal(night(new Date('2026-03-07T05:59:00Z')), true) // still Friday's shift
  assert.equal(night(new Date('2026-03-07T22:00:00Z')), false)
  assert.equal(night(new Date('2026-03-06T05:00:00Z')), false)
})
