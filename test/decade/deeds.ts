// What people do in the course of a decade, drawn from a seed: each by its use case, and the model is told of it.
import {
  HoldClause,
  type HoldId,
  Label,
  type RecordingId,
  RuleDefinition,
  type RuleView,
  type UserId,
} from '@auricle/contract'
import {
  approveVersion,
  cancelDisposition,
  changeRetentionSettings,
  decideRecordSet,
  extendHold,
  labelRecording,
  placeHold,
  proposeDisposition,
  proposeRule,
  proposeVersion,
  recordBirthDate,
  recordRetentionEvent,
  releaseCover,
  releaseHold,
  reviewDisposition,
  withdrawRetentionEvent,
  withdrawVersion,
} from '@auricle/vault'
import type { Person } from '../vault.ts'
import { drawPeopleWeather } from './faults.ts'
import { dayMs, type ModelDisposition, type ModelRecording } from './model.ts'
import { learnDispositions } from './observe.ts'
import { changeRule, drawRule, firstRules } from './rules.ts'
import { refusalOf, type World, zone } from './world.ts'

/** How often people did what, and what they were told instead. */
export type Tally = Map<string, number>

export const count = (tally: Tally, what: string, by = 1) => tally.set(what, (tally.get(what) ?? 0) + by)

export interface Deeds {
  begin(): Promise<void>
  /** All of one step of so many days. */
  live(days: number): Promise<void>
  /** In the middle of its destruction. */
  holdNow(recordingId: RecordingId): Promise<void>
}

/** `pace`: how much people do in a week, at most. */
export function createDeeds(world: World, tally: Tally, pace: number): Deeds {
  const { random, model, mailboxes, people, clock, now } = world
  const parts = { ...world.vault, ...world, now }
  const withdrawable: string[] = []
  const openHolds = new Map<HoldId, { readonly endsAt: number }>()
  let ruleCount = 0

  const someone = () => random.pick(people)
  const other = ({ row }: Person) => random.pick(people.filter(person => person.row.id !== row.id))

  /**
   * First in bad weather: then it is done, or not done and known not to be, and done once more. A refusal is counted; false
   * where it was one.
   */
  async function doing<Result>(
    what: string,
    deed: () => Promise<Result>,
    then: (result: Result) => void | Promise<void>,
  ): Promise<boolean> {
    let result: { readonly value: Result } | null = null
    const attempt = async () => {
      result = { value: await deed() }
    }
    let failure = await world.faults.within(drawPeopleWeather(random), attempt)
    if (failure !== null && refusalOf(failure) === null) {
      count(tally, 'done again')
      failure = null
      result = null
      try {
        await attempt()
      } catch (error) {
        failure = error
      }
    }
    const refusal = refusalOf(failure)
    if (failure !== null && refusal === null) throw failure
    count(tally, refusal === null ? what : `${what}: ${refusal}`)
    const done = result as { readonly value: Result } | null
    if (done !== null) await then(done.value)
    return done !== null
  }

  const chance = (oneIn: number) => random.integer(1, oneIn) === 1
  const live = (): ModelRecording | null => {
    const all = model.inOrder
    if (all.length === 0) return null
    for (let tries = 0; tries < 8; tries++) {
      const found = random.pick(all)
      if (found.destroyedAt === null) return found
    }
    return null
  }

  // --- rules ---

  const learned = (view: RuleView) => model.ruleChanged(view, clock.ms)

  async function proposeSomething(): Promise<void> {
    const by = someone()
    const inForce = [...model.rules.values()].filter(({ state }) => state === 'in_force')
    if (inForce.length === 0 || chance(3)) {
      const rule = {
        name: `Rule ${++ruleCount}`,
        definition: drawRule(random, mailboxes),
        effectiveFrom: null,
      }
      await doing('rule proposed', () => proposeRule(parts, world.facts(by), rule, {}), learned)
      return
    }
    const rule = random.pick(inForce)
    const latest = rule.versions.findLast(({ state }) => state === 'in_force')?.definition ?? null
    const isBroad = latest?.appliesTo.mailboxes === null && latest.appliesTo.labels === null
    if (latest === null || (isBroad && !chance(4))) return
    const definition = !isBroad && chance(4) ? null : RuleDefinition.parse(changeRule(random, latest))
    const later = chance(4) ? new Date(clock.ms + random.integer(1, 90) * dayMs).toISOString() : null
    const proposal = { definition, effectiveFrom: later }
    await doing(
      definition === null ? 'end proposed' : 'version proposed',
      () => proposeVersion(parts, world.facts(by), rule.id, proposal, {}),
      learned,
    )
  }

  async function agree(): Promise<void> {
    for (const rule of [...model.rules.values()]) {
      for (const { version, state, proposedBy, effectiveFrom } of rule.versions) {
        const isProposed = state === 'proposed'
        const isAhead = effectiveFrom !== null && Date.parse(effectiveFrom) > clock.ms
        const of = { id: rule.id, version }
        if (isProposed && chance(2)) {
          const by = someone()
          const isOwn = proposedBy === by.row.id
          const approval = { effectiveFrom: null }
          const done = await doing(
            'version approved',
            () => approveVersion(parts, world.facts(by), of, approval, {}),
            learned,
          )
          if (done && isOwn) model.complain(`${rule.name}/${version} was approved by its proposer`)
        } else if ((isProposed || isAhead) && chance(12)) {
          await doing(
            'version withdrawn',
            () => withdrawVersion(parts, world.facts(someone()), of, {}),
            learned,
          )
        }
      }
    }
  }

  // --- facts ---

  async function recordEvent(): Promise<void> {
    const recording = live()
    if (recording === null) return
    const kind = random.pick(['last_encounter', 'last_encounter', 'last_encounter', 'discharged'] as const)
    const at = new Date(Math.max(recording.receivedAt, clock.ms - random.integer(0, 200) * dayMs))
    const { patient } = recording
    const of =
      patient !== null && !chance(4)
        ? { patient, recording: null }
        : { patient: null, recording: recording.id }
    const asked = { kind, ...of, at: at.toISOString() }
    await doing(
      'event recorded',
      () => recordRetentionEvent(parts, world.facts(someone()), asked, {}),
      view => {
        withdrawable.push(view.id)
        const subject = of.patient === null ? { recording: recording.id } : { patient: of.patient }
        model.eventRecorded(view.id, subject, { kind, at })
      },
    )
  }

  async function withdrawEvent(): Promise<void> {
    const [id] = random.shuffle(withdrawable)
    if (id === undefined) return
    withdrawable.splice(withdrawable.indexOf(id), 1)
    type EventId = Parameters<typeof withdrawRetentionEvent>[2]
    await doing(
      'event withdrawn',
      () => withdrawRetentionEvent(parts, world.facts(someone()), id as EventId, {}),
      () => model.eventWithdrawn(id),
    )
  }

  async function recordBirth(): Promise<void> {
    const patient = live()?.patient ?? null
    if (patient === null) return
    const years = random.integer(0, 3) === 0 ? random.integer(12, 17) : random.integer(20, 80)
    const born = new Date(clock.ms - years * 365 * dayMs).toISOString().slice(0, 10)
    const birthDate = chance(12) ? null : born
    await doing(
      'birth date recorded',
      () => recordBirthDate(parts, world.facts(someone()), { patient, birthDate }, {}),
      () => model.birthDateRecorded(patient, birthDate),
    )
  }

  async function decideMailbox(number: number, decision: 'in' | 'out' | 'undecided'): Promise<void> {
    const mailbox = mailboxes[number]
    if (mailbox === undefined) throw new RangeError('no such mailbox')
    const asked = { mailbox, recording: null, decision, rationale: 'as counsel said' }
    await doing(
      'record set of a mailbox',
      () => decideRecordSet(parts, world.facts(someone()), asked, {}),
      () => model.recordSetOfMailbox(mailbox, decision),
    )
  }

  async function decideOne(): Promise<void> {
    const recording = live()
    if (recording === null) return
    const decision = random.pick(['in', 'out', 'out', 'undecided'] as const)
    const asked = { mailbox: null, recording: recording.id, decision, rationale: 'as counsel said' }
    await doing(
      'record set of a recording',
      () => decideRecordSet(parts, world.facts(someone()), asked, {}),
      () => model.recordSetOfRecording(recording.id, decision),
    )
  }

  async function label(): Promise<void> {
    const recording = live()
    // Nobody is shown one whose destruction has begun.
    if (recording === null || recording.objects.some(({ goneAt }) => goneAt !== null)) return
    if (recording.item?.disposition.state === 'waiting') return
    const has = [...recording.labels]
    const change =
      has.length > 0 && chance(2)
        ? { add: [], remove: [random.pick(has)] }
        : { add: [random.pick([...Label.options, 'employee', 'part2'] as const)], remove: [] }
    await doing(
      'labelled',
      () => labelRecording(parts, world.facts(someone()), recording.id, change, {}),
      () => model.labelled(recording.id, change.add, change.remove),
    )
  }

  // --- holds ---

  function drawClause(): HoldClause {
    const recording = live()
    const around = recording?.startedAt ?? clock.ms
    const after = new Date(around - random.integer(5, 90) * dayMs).toISOString()
    const before = new Date(around + random.integer(5, 120) * dayMs).toISOString()
    const said: Partial<HoldClause>[] = [
      { mailbox: random.pick(mailboxes), after, before },
      {
        kind: random.pick(['voicemail', 'recording'] as const),
        mailbox: random.pick(mailboxes),
        after,
        before,
      },
      { label: random.pick(Label.options) },
      { number: recording?.from ?? '+12025550100', after },
    ]
    if (recording?.patient != null) said.push({ patient: recording.patient }, { patient: recording.patient })
    return HoldClause.parse(random.pick(said))
  }

  const someRecordings = (most: number): RecordingId[] => [
    ...new Set(Array.from({ length: random.integer(1, most) }, () => live()?.id ?? []).flat()),
  ]

  async function place(clauses: readonly HoldClause[], recordings: readonly RecordingId[]): Promise<void> {
    const by = someone()
    const custodians: UserId[] = [random.pick(people).row.id]
    const asked = { matter: 'A matter', notice: null, clauses: [...clauses], recordings: [...recordings] }
    await doing(
      'hold placed',
      () => placeHold(parts, world.facts(by), { ...asked, custodians }, {}),
      ({ hold, covered }) => {
        const before = countHeld(hold.id)
        model.held(hold.id, clauses, recordings)
        const expected = countHeld(hold.id) - before
        if (covered !== expected)
          model.complain(`${hold.id} covers ${covered} recordings and not ${expected}`)
        openHolds.set(hold.id, { endsAt: clock.ms + random.magnitude(10, 900) * dayMs })
      },
    )
  }

  const countHeld = (id: string) =>
    model.inOrder.filter(({ covers }) => covers.get(id)?.active === true).length

  async function workOnHolds(): Promise<void> {
    for (const [id, { endsAt }] of [...openHolds]) {
      if (endsAt <= clock.ms) {
        openHolds.delete(id)
        await doing(
          'hold released',
          () => releaseHold(parts, world.facts(someone()), id, { reason: 'It is settled' }, {}),
          () => model.released(id, clock.ms),
        )
      } else if (chance(30)) {
        const clauses = chance(2) ? [drawClause()] : []
        const recordings = clauses.length === 0 ? someRecordings(4) : []
        if (clauses.length + recordings.length === 0) continue
        await doing(
          'hold extended',
          () => extendHold(parts, world.facts(someone()), id, { clauses, recordings }, {}),
          () => model.held(id, clauses, recordings),
        )
      } else if (chance(20)) {
        const covered = model.inOrder.filter(({ covers }) => covers.get(id)?.active === true)
        if (covered.length === 0) continue
        const { id: recordingId } = random.pick(covered)
        await doing(
          'cover released',
          () => releaseCover(parts, world.facts(someone()), { id, recordingId }, { reason: 'Not of it' }, {}),
          () => model.coverReleased(id, recordingId, clock.ms),
        )
      }
    }
  }

  // --- dispositions ---

  async function review(disposition: ModelDisposition): Promise<void> {
    const by = someone()
    const may = model.mayReview(disposition.id, by.row.id)
    const open = [...disposition.open]
    const verdict = chance(12) ? ('reject' as const) : ('approve' as const)
    const keep = verdict === 'approve' && open.length > 3 && chance(4) ? random.shuffle(open).slice(0, 2) : []
    const at = { ms: 0 }
    type Id = Parameters<typeof reviewDisposition>[2]
    const done = await doing(
      `disposition reviewed, ${verdict}`,
      () => {
        const asked = { verdict, keep, note: 'looked at' }
        at.ms = clock.ms
        return reviewDisposition(parts, world.facts(by), disposition.id as Id, asked, {})
      },
      view => {
        const given = view.reviews.find(row => row.by === by.row.id)
        model.reviewed(disposition.id, { by: by.row.id, verdict, keep, at: Date.parse(given?.at ?? '') })
        if (view.readyAt !== null && Date.parse(view.readyAt) !== disposition.readyAt)
          model.complain(`${disposition.id} is ready at ${view.readyAt} and not at ${disposition.readyAt}`)
      },
    )
    if (done !== (may === 'yes'))
      model.complain(`${disposition.id} was reviewed: ${done}, and may it be: ${may}`)
  }

  async function workOnDispositions(): Promise<void> {
    if (chance(5)) {
      const by = someone()
      const asked = random.pick([
        {},
        { mailbox: random.pick(mailboxes) },
        { kind: 'recording' as const },
        { disposal: 'review' as const },
      ])
      await doing(
        'disposition proposed',
        () => proposeDisposition(parts, world.facts(by), asked, {}),
        () => learnDispositions(world),
      )
    }
    for (const disposition of [...model.dispositions.values()]) {
      if (disposition.open.size === 0) continue
      if (disposition.state === 'proposed' && !chance(4)) await review(disposition)
      if (disposition.state === 'waiting' && chance(40)) {
        type Id = Parameters<typeof cancelDisposition>[2]
        await doing(
          'disposition cancelled',
          () => cancelDisposition(parts, world.facts(someone()), disposition.id as Id, {}),
          () => model.ended(disposition.id, clock.ms),
        )
      }
    }
  }

  async function changeSettings(stages: number, waitingDays: number): Promise<void> {
    const storagePrice = { currency: 'USD', perGibibyteMonth: 0.02 }
    const settings = { zone, stages, waitingDays, shorteningDays: 30, storagePrice }
    await doing(
      'settings changed',
      () => changeRetentionSettings(parts, world.facts(someone()), settings, {}),
      () => {
        Object.assign(model.settings, { stages, waitingDays })
      },
    )
  }

  const times = async (most: number, deed: () => Promise<void>) => {
    for (let left = random.integer(0, most); left > 0; left--) await deed()
  }

  return {
    async begin() {
      await changeSettings(1, 7)
      for (const [number, decision] of (['out', 'out', 'in', 'out', 'out'] as const).entries())
        await decideMailbox(number, decision)
      for (const rule of firstRules(mailboxes)) {
        const by = someone()
        const asked = { ...rule, effectiveFrom: null }
        await doing(
          'rule proposed',
          () => proposeRule(parts, world.facts(by), asked, {}),
          async view => {
            learned(view)
            const [first] = view.versions
            if (first?.state !== 'proposed') return
            const of = { id: view.id, version: 1 }
            const facts = world.facts(other(by))
            await doing(
              'version approved',
              () => approveVersion(parts, facts, of, { effectiveFrom: null }, {}),
              learned,
            )
          },
        )
      }
    },
    async live(days) {
      const weeks = Math.max(1, Math.round((days / 7) * pace))
      if (chance(Math.ceil(6 / weeks))) await proposeSomething()
      await agree()
      await times(3 * weeks, recordEvent)
      if (chance(3)) await withdrawEvent()
      await times(2 * weeks, recordBirth)
      await times(weeks, decideOne)
      if (chance(40)) await decideMailbox(5, random.pick(['out', 'in', 'undecided']))
      await times(4 * weeks, label)
      if (chance(Math.ceil(8 / weeks)))
        await place(
          chance(3) ? [] : [drawClause()],
          chance(2) ? someRecordings(8) : [someRecordings(1)].flat(),
        )
      await workOnHolds()
      await workOnDispositions()
      if (chance(60)) await changeSettings(random.integer(1, 2), random.pick([1, 7, 14]))
    },
    holdNow: async recordingId => {
      const by = someone()
      const asked = {
        matter: 'At once',
        notice: null,
        clauses: [],
        recordings: [recordingId],
        custodians: [],
      }
      const { hold } = await placeHold({ ...parts, catalog: world.vault.catalog }, world.facts(by), asked, {})
      model.held(hold.id, [], [recordingId])
      openHolds.set(hold.id, { endsAt: clock.ms + random.magnitude(10, 400) * dayMs })
      count(tally, 'hold placed during destruction')
    },
  }
}
