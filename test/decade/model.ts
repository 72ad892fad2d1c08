// What ought to become of recordings over the years, worked out from what people did alone: nothing of the vault is asked.
//
// It is told what was done (rules agreed, facts, holds, reviews) and what the stores did. Each deletion is judged at its
// moment, and at the end of each month what is left is.
import type { HoldClause, Label, RecordingId, RecordingKind, RecordSet, RuleView } from '@auricle/contract'
import { answer, type ModelAnswer, type ModelCase } from '../retention/model.ts'

export const dayMs = 86_400_000

type Version = ModelCase['versions'][number]
type EventFact = ModelCase['facts']['events'][number]

export interface ModelObject {
  readonly recording: RecordingId | null
  readonly store: 'primary' | 'recovery'
  readonly role: string
  readonly key: string
  readonly generation: string
  until: number | null
  /** What `until` ever was at most: somebody may have shortened it. */
  most: number
  locked: boolean
  held: boolean
  goneAt: number | null
}

interface Cover {
  active: boolean
  releasedAt: number | null
  /** Clauses up to it do not cover the recording again. */
  releasedAfter: number
}

export interface Newcomer {
  readonly id: RecordingId
  readonly kind: RecordingKind
  readonly mailbox: string
  readonly patient: string | null
  readonly from: string
  readonly to: string
  readonly startedAt: number
  readonly receivedAt: number
  readonly durationMs: number | null
  readonly bytes: number
}

export interface ModelRecording extends Newcomer {
  readonly archivedAt: number
  readonly labels: Set<Label>
  readonly events: Map<string, EventFact>
  readonly covers: Map<string, Cover>
  readonly objects: ModelObject[]
  ownRecordSet: RecordSet | null
  /** What the rules said when they were last asked. */
  said: ModelAnswer | null
  /** Whatever has been locked for good: until then. */
  lockedUntil: number | null
  item: ModelItem | null
  /** When that was another than before. */
  saidSince: number
  /** A person took it out, while the rules said that of it. */
  takenOut: { readonly at: number; readonly said: string } | null
  wasStopped: boolean
  destroyedAt: number | null
}

interface ModelItem {
  readonly disposition: ModelDisposition
  readonly rule: string
}

export interface ModelDisposition {
  readonly id: string
  readonly kind: 'automatic' | 'review'
  readonly by: string | null
  readonly at: number
  readonly stages: number
  readonly open: Set<RecordingId>
  readonly yes: string[]
  state: 'proposed' | 'waiting' | 'ended'
  readyAt: number | null
}

interface ModelHold {
  readonly id: string
  readonly clauses: HoldClause[]
  active: boolean
}

export interface ModelSettings {
  readonly zone: string
  stages: number
  waitingDays: number
  readonly shorteningDays: number
  readonly keepDays: number
}

export type Model = ReturnType<typeof createModel>

export function createModel(settings: ModelSettings) {
  const wrong: string[] = []
  const recordings = new Map<RecordingId, ModelRecording>()
  const inOrder: ModelRecording[] = []
  const objects = new Map<string, ModelObject>()
  const ofRecording = new Map<RecordingId, ModelObject[]>()
  const ofPatient = new Map<string, Map<string, EventFact>>()
  const birthDates = new Map<string, string | null>()
  const mailboxSet = new Map<string, RecordSet>()
  const holds = new Map<string, ModelHold>()
  const dispositions = new Map<string, ModelDisposition>()
  const rules = new Map<string, RuleView>()
  let versions: readonly Version[] = []
  let inForce = { until: -1, list: [] as readonly Version[] }
  const deletions = { primary: 0, recovery: 0 }

  const complain = (what: string): void => {
    wrong.push(what)
  }
  const live = () => inOrder.filter(({ destroyedAt }) => destroyedAt === null)
  const isHeld = (recording: ModelRecording) => [...recording.covers.values()].some(({ active }) => active)
  const told = (said: ModelAnswer) =>
    [said.status, said.keepUntil, said.due, said.disposal, said.governing, said.locked].join(' ')
  const left = (recording: ModelRecording) => recording.objects.filter(({ goneAt }) => goneAt === null)
  const storeUntil = (recording: ModelRecording) =>
    Math.max(-Infinity, ...left(recording).map(({ until }) => until ?? -Infinity))

  const storeMost = (recording: ModelRecording) =>
    Math.max(-Infinity, ...recording.objects.map(({ most }) => most))

  // --- rules and facts ---

  function versionsAt(at: number): readonly Version[] {
    const list = versions.filter(
      ({ effectiveFrom, withdrawnAt }) =>
        effectiveFrom !== null && withdrawnAt === null && effectiveFrom.getTime() <= at,
    )
    if (list.length !== inForce.list.length) inForce = { until: at, list }
    return inForce.list
  }

  function factsOf(recording: ModelRecording, lockedUntil: number | null): ModelCase['facts'] {
    const { kind, mailbox, labels, startedAt, receivedAt, durationMs, patient, events } = recording
    const known = patient === null ? [] : [...(ofPatient.get(patient)?.values() ?? [])]
    return {
      kind,
      mailboxId: mailbox as ModelCase['facts']['mailboxId'],
      labels: [...labels],
      startedAt: new Date(startedAt),
      receivedAt: new Date(receivedAt),
      endedAt: durationMs === null ? null : new Date(startedAt + durationMs),
      birthDate: patient === null ? null : (birthDates.get(patient) ?? null),
      events: [...events.values(), ...known],
      recordSet: recording.ownRecordSet ?? mailboxSet.get(mailbox) ?? 'undecided',
      floor: new Date(Math.max(startedAt, receivedAt) + settings.keepDays * dayMs),
      lockedUntil: lockedUntil === null ? null : new Date(lockedUntil),
    }
  }

  function ask(
    recording: ModelRecording,
    at: number,
    list = versionsAt(at),
    lockedUntil = recording.lockedUntil,
  ): ModelAnswer {
    const facts = factsOf(recording, lockedUntil)
    const asked = { versions: list, at, facts, zone: settings.zone, holds: 0, lookAfterMs: 0 }
    const said = answer(asked)
    return lockedUntil === null ? said : { ...said, locked: true }
  }

  let settled: readonly Version[] | null = null
  const stale = new Set<RecordingId>()

  /** Whoever decides has done so by now: what it locks is locked. */
  function settle(at: number): void {
    const list = versionsAt(at)
    const all = settled === list ? [...stale].flatMap(id => recordings.get(id) ?? []) : live()
    for (const recording of all) {
      if (recording.destroyedAt !== null) continue
      const said = ask(recording, at, list)
      if (recording.said === null || told(recording.said) !== told(said)) recording.saidSince = at
      recording.said = said
      if (recording.said.locked)
        recording.lockedUntil = Math.max(recording.lockedUntil ?? -Infinity, recording.said.keepUntil)
    }
    settled = list
    stale.clear()
  }

  const touch = (about: (recording: ModelRecording) => boolean): void => {
    for (const recording of live()) if (about(recording)) stale.add(recording.id)
  }

  // --- what is agreed of rules ---

  function ruleChanged(view: RuleView, now: number): void {
    const before = rules.get(view.id)
    rules.set(view.id, view)
    const all = [...rules.values()].flatMap(({ id, name, versions: own }) =>
      own.map(({ version, definition, effectiveFrom, withdrawnAt }) => ({
        ruleId: id,
        version,
        name,
        definition,
        effectiveFrom: effectiveFrom === null ? null : new Date(effectiveFrom),
        withdrawnAt: withdrawnAt === null ? null : new Date(withdrawnAt),
      })),
    )
    for (const version of view.versions) {
      const earlier = before?.versions.find(row => row.version === version.version)
      if (version.effectiveFrom === null || earlier?.effectiveFrom != null) continue
      checkAgreement(view, version, all)
    }
    versions = all
    inForce = { until: -1, list: [] }
    versionsAt(now)
  }

  /** One person alone may agree to what shortens nothing; so what is there is asked, by both versions. */
  function checkAgreement(
    view: RuleView,
    agreed: RuleView['versions'][number],
    all: readonly Version[],
  ): void {
    const from = Date.parse(agreed.effectiveFrom ?? '')
    const name = `${view.name}/${agreed.version}`
    if (agreed.effect === 'shortens') {
      if (agreed.approvedBy === agreed.proposedBy || agreed.approvedBy === null)
        complain(`${name} shortens, and one person agreed to it alone`)
      if (from - Date.parse(agreed.approvedAt ?? '') < settings.shorteningDays * dayMs)
        complain(`${name} shortens sooner than is waited for`)
      return
    }
    const speaks = (version: Version) =>
      version.effectiveFrom !== null &&
      version.withdrawnAt === null &&
      version.effectiveFrom.getTime() <= from
    const after = all.filter(speaks)
    const before = after.filter(({ ruleId, version }) => ruleId !== view.id || version !== agreed.version)
    let step = Math.max(1, Math.floor(recordings.size / 200))
    for (const recording of recordings.values()) {
      if (step++ % Math.max(1, Math.floor(recordings.size / 200)) !== 0) continue
      if (recording.destroyedAt !== null) continue
      const [one, other] = [ask(recording, from, before), ask(recording, from, after)]
      // Where no rule spoke, one that lets people look at it is none that shortens.
      const isFirstWord = one.status === 'unruled' && other.disposal === 'review'
      const sooner = !isFirstWord && (other.due ?? Infinity) < (one.due ?? Infinity)
      if (other.keepUntil < one.keepUntil || sooner || (one.locked && !other.locked))
        complain(`${name} is said to ${agreed.effect} and shortens ${recording.id}`)
    }
  }

  /** By a rule that goes by itself, to which two people once agreed. */
  function isAutomaticByTwo(rule: string): boolean {
    const [id = '', version = '0'] = rule.split('/')
    return (rules.get(id)?.versions ?? []).some(
      row =>
        row.version <= Number(version) &&
        row.definition?.dispose === 'automatic' &&
        row.approvedBy !== null &&
        row.proposedBy !== null &&
        row.approvedBy !== row.proposedBy,
    )
  }

  // --- recordings and what holds them ---

  function archived(newcomer: Newcomer, archivedAt: number): void {
    const own = ofRecording.get(newcomer.id) ?? []
    ofRecording.set(newcomer.id, own)
    const recording: ModelRecording = {
      ...newcomer,
      archivedAt,
      ...{ labels: new Set(), events: new Map(), covers: new Map(), objects: own, ownRecordSet: null },
      ...{
        said: null,
        saidSince: archivedAt,
        lockedUntil: null,
        item: null,
        takenOut: null,
        wasStopped: false,
        destroyedAt: null,
      },
    }
    recordings.set(recording.id, recording)
    inOrder.push(recording)
    stale.add(recording.id)
    for (const hold of holds.values()) coverByClauses(hold, [recording])
  }

  function coverByClauses(hold: ModelHold, among: Iterable<ModelRecording>): void {
    if (!hold.active) return
    for (const recording of among) {
      if (recording.destroyedAt !== null) continue
      const earlier = recording.covers.get(hold.id)
      if (earlier?.active) continue
      const spent = earlier?.releasedAfter ?? 0
      if (hold.clauses.some((clause, index) => index + 1 > spent && covers(clause, recording)))
        cover(hold.id, recording)
    }
  }

  function cover(holdId: string, recording: ModelRecording): void {
    const earlier = recording.covers.get(holdId)
    if (earlier?.active || recording.destroyedAt !== null) return
    recording.covers.set(holdId, { active: true, releasedAt: earlier?.releasedAt ?? null, releasedAfter: 0 })
  }

  function held(id: string, clauses: readonly HoldClause[], byHand: readonly RecordingId[]): void {
    const hold = holds.get(id) ?? { id, clauses: [], active: true }
    holds.set(id, hold)
    hold.clauses.push(...clauses)
    for (const recordingId of byHand) {
      const recording = recordings.get(recordingId)
      if (recording !== undefined) cover(id, recording)
    }
    if (clauses.length > 0) coverByClauses(hold, recordings.values())
  }

  function releaseCover(holdId: string, recording: ModelRecording, at: number): void {
    const found = recording.covers.get(holdId)
    if (found === undefined || !found.active) return
    found.active = false
    found.releasedAt = at
    found.releasedAfter = holds.get(holdId)?.clauses.length ?? 0
  }

  function released(holdId: string, at: number): void {
    const hold = holds.get(holdId)
    if (hold === undefined) return
    for (const recording of recordings.values()) releaseCover(holdId, recording, at)
    hold.active = false
  }

  // --- dispositions ---

  function proposed(
    disposition: Omit<ModelDisposition, 'yes' | 'open'>,
    items: readonly { readonly id: RecordingId; readonly rule: string }[],
  ): void {
    const { id, kind, by, at, stages } = disposition
    const made: ModelDisposition = { ...disposition, open: new Set(), yes: [] }
    dispositions.set(id, made)
    const least = kind === 'automatic' ? 0 : by === null ? Math.max(2, settings.stages) : settings.stages
    if (stages !== least) complain(`${id} takes ${stages} people and not ${least}`)
    const readyAt = kind === 'automatic' ? at + settings.waitingDays * dayMs : null
    if (made.readyAt !== readyAt) complain(`${id} waits until ${made.readyAt} and not ${readyAt}`)
    for (const { id: recordingId, rule } of items) {
      const recording = recordings.get(recordingId)
      if (recording === undefined) {
        complain(`${id} lists ${recordingId}, which is not there`)
        continue
      }
      const said = ask(recording, at)
      const name = `${id} lists ${recordingId}`
      if (recording.destroyedAt !== null) complain(`${name}, which is destroyed`)
      if (recording.item !== null) complain(`${name}, which is in ${recording.item.disposition.id}`)
      if (isHeld(recording)) complain(`${name}, which is held`)
      if (said.due === null || said.due > at) complain(`${name}, which is ${said.status} until ${said.due}`)
      if (kind === 'automatic' && said.disposal !== 'automatic')
        complain(`${name}, which people have to look at`)
      if (said.governing !== rule) complain(`${name} by ${rule} and not ${said.governing}`)
      if (by === null && isLeftByPerson(recording, said))
        complain(`${name}, which a person took out since the rules changed`)
      recording.item = { disposition: made, rule }
      made.open.add(recordingId)
    }
  }

  /** What is to be said to somebody who would look at it. */
  function mayReview(id: string, by: string): 'yes' | 'own' | 'again' {
    const found = dispositions.get(id)
    if (found?.by === by) return 'own'
    return found?.yes.includes(by) ? 'again' : 'yes'
  }

  /** Since then nothing else was said of it. */
  const isLeftByPerson = ({ takenOut, saidSince }: ModelRecording, said: ModelAnswer) =>
    takenOut !== null && takenOut.said === told(said) && saidSince <= takenOut.at

  function takeOut(
    disposition: ModelDisposition,
    recordingId: RecordingId,
    byPersonAt: number | null = null,
  ): void {
    const recording = recordings.get(recordingId)
    disposition.open.delete(recordingId)
    if (recording === undefined || recording.item?.disposition !== disposition) return
    recording.item = null
    if (byPersonAt !== null && recording.said !== null)
      recording.takenOut = { at: byPersonAt, said: told(recording.said) }
  }

  function reviewed(
    id: string,
    {
      by,
      verdict,
      keep,
      at,
    }: { by: string; verdict: 'approve' | 'reject'; keep: readonly RecordingId[]; at: number },
  ): void {
    const found = dispositions.get(id)
    if (found === undefined) {
      complain(`${id} is reviewed and was never proposed`)
      return
    }
    if (mayReview(id, by) !== 'yes') complain(`${id} is reviewed by ${by}, who may not`)
    if (verdict === 'reject') {
      ended(id, at)
      return
    }
    found.yes.push(by)
    for (const recordingId of keep) takeOut(found, recordingId, at)
    if (found.yes.length < found.stages) return
    found.state = 'waiting'
    found.readyAt = at + settings.waitingDays * dayMs
  }

  /** By a person: rejected, or cancelled. */
  function ended(id: string, at: number): void {
    const found = dispositions.get(id)
    if (found === undefined) return
    for (const recordingId of [...found.open]) takeOut(found, recordingId, at)
    found.state = 'ended'
  }

  /** The worker took it out of its disposition, and says why. */
  function stopped(recordingId: RecordingId, reason: string, wasBegun: boolean, at: number): void {
    const recording = recordings.get(recordingId)
    const item = recording?.item ?? null
    if (recording === undefined || item === null) {
      complain(`${recordingId} is taken out of nothing`)
      return
    }
    if (wasBegun) recording.wasStopped = true
    const said = ask(recording, at)
    const reasons: Record<string, boolean> = {
      [said.status]: true,
      held: isHeld(recording) || wasHeldSince(recording, item.disposition.at),
      rule_changed: said.governing !== item.rule,
      kept: (said.due !== null && said.due > at) || isLockedLonger(recording, at),
      unapproved: item.disposition.kind === 'automatic' && said.disposal !== 'automatic',
    }
    // Of what was decided then, after which rules may have changed once more within the same piece of work.
    if (reasons[reason] !== true)
      complain(
        `${recordingId} was taken out as ${reason} at ${at}, and is ${told(said)}, listed by ${item.rule}`,
      )
    takeOut(item.disposition, recordingId)
  }

  /** Of what is locked, all that its stores were ever asked for counts as locked. */
  const isLockedLonger = (recording: ModelRecording, at: number) =>
    recording.lockedUntil !== null && storeMost(recording) > at

  const wasHeldSince = (recording: ModelRecording, since: number) =>
    [...recording.covers.values()].some(({ releasedAt }) => releasedAt !== null && releasedAt > since)

  // --- the stores ---

  const nameOf = (store: string, key: string, generation: string) => `${store} ${key} ${generation}`

  function kept(object: Omit<ModelObject, 'goneAt' | 'most'>): void {
    const name = nameOf(object.store, object.key, object.generation)
    const known = objects.get(name)
    if (known !== undefined) {
      known.until = object.until
      known.most = Math.max(known.most, object.until ?? -Infinity)
      known.locked = object.locked
      known.held = object.held
      return
    }
    const made = { ...object, most: object.until ?? -Infinity, goneAt: null }
    objects.set(name, made)
    if (object.recording === null) return
    const own = ofRecording.get(object.recording) ?? []
    own.push(made)
    ofRecording.set(object.recording, own)
  }

  /** Judged as it goes: why it must not go, if anything says so. */
  function deleted(store: 'primary' | 'recovery', key: string, generation: string, at: number): void {
    const object = objects.get(nameOf(store, key, generation))
    if (object === undefined) {
      complain(`${store} deletes ${key}, which was never there`)
      return
    }
    object.goneAt = at
    deletions[store] += 1
    const recording = object.recording === null ? undefined : recordings.get(object.recording)
    if (recording === undefined) {
      complain(`${store} deletes ${key}, which is of no recording`)
      return
    }
    const name = `${store} deletes the ${object.role} of ${recording.id}`
    for (const why of objections(recording, at)) complain(`${name}: ${why}`)
    if (object.held) complain(`${name}: the store holds it`)
    if (object.until !== null && object.until > at) complain(`${name}: the store keeps it`)
    const others = left(recording).some(other => other.role === 'playback' || other.role === 'peaks')
    if (object.role === 'original' && others) complain(`${name} before what was made of it`)
  }

  /** Everything that stands against the end of a recording now. */
  function objections(recording: ModelRecording, at: number): string[] {
    const said = ask(recording, at)
    const { item } = recording
    const found: string[] = []
    if (isHeld(recording)) found.push('it is held')
    if (said.status !== 'kept') found.push(`it is ${said.status}`)
    if (said.keepUntil > at) found.push('it is kept')
    if (said.due === null || said.due > at) found.push('it is not due')
    if (item === null) return [...found, 'nobody proposed it']
    const { disposition, rule } = item
    if (disposition.readyAt === null || disposition.readyAt > at) found.push('its waiting is not over')
    if (wasHeldSince(recording, disposition.at)) found.push('a hold came and went since it was proposed')
    if (said.governing !== rule) found.push('another rule governs it')
    if (disposition.kind === 'automatic') {
      if (said.disposal !== 'automatic') found.push('people have to look at it')
      if (!isAutomaticByTwo(rule)) found.push('no two people stand behind its rule')
    } else if (new Set(disposition.yes).size < Math.max(disposition.stages, disposition.by === null ? 2 : 1))
      found.push('too few people said yes')
    return found
  }

  function destroyed(recordingId: RecordingId, at: number): void {
    const recording = recordings.get(recordingId)
    if (recording === undefined) {
      complain(`${recordingId} is destroyed and was never there`)
      return
    }
    for (const why of objections(recording, at)) complain(`${recordingId} is destroyed: ${why}`)
    for (const { store, role } of left(recording))
      complain(`${recordingId} is destroyed and its ${role} is in ${store}`)
    if (recording.item !== null) takeOut(recording.item.disposition, recordingId)
    recording.destroyedAt = at
  }

  /** After everything that was to be tried again was: what should be gone and is not, or waits for nothing. */
  function checkLeft(now: number, failures: ReadonlyMap<RecordingId, string>): Map<string, number> {
    const reasons = new Map<string, number>()
    const because = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    for (const recording of live()) {
      const said = recording.said ?? ask(recording, now)
      if (isHeld(recording) && recording.wasStopped === false && !hasOriginal(recording))
        complain(`${recording.id} is held and its original is missing`)
      if (said.due === null || said.due > now) continue
      if (isHeld(recording)) because('held')
      else if (recording.item !== null) {
        const { disposition } = recording.item
        if (disposition.state === 'proposed') because('review open')
        else if (disposition.readyAt === null || disposition.readyAt > now) because('waiting')
        else if (storeUntil(recording) > now && failures.get(recording.id) === 'store_retained')
          because('the store keeps it longer')
        else
          complain(
            `${recording.id} is left: ready since ${new Date(disposition.readyAt).toISOString()}, ${objections(recording, now).join(', ')}`,
          )
      } else if (recording.takenOut?.said === told(said)) because('a person took it out')
      else if (isLockedLonger(recording, now)) because('the store keeps it longer')
      else
        complain(
          `${recording.id} is due since ${new Date(said.due).toISOString()} and in no disposition (taken out ${recording.takenOut?.said}, now ${told(said)})`,
        )
    }
    return reasons
  }

  function hasOriginal(recording: ModelRecording): boolean {
    return left(recording).some(({ role, store }) => role === 'original' && store === 'primary')
  }

  /** What it is, in one word. */
  function stateOf(recording: ModelRecording, now: number): string {
    if (recording.destroyedAt !== null) return 'destroyed'
    if (isHeld(recording)) return 'held'
    const said = stale.has(recording.id) ? ask(recording, now) : (recording.said ?? ask(recording, now))
    if (said.due === null) return said.status
    return said.due <= now ? 'due' : 'kept'
  }

  return {
    ...{ wrong, complain, settings, recordings, inOrder, objects, holds, dispositions, rules, deletions },
    ...{ live, isHeld, ask, left, storeUntil, storeMost, settle, stateOf, checkLeft, factsOf },
    ...{ ruleChanged, archived, held, released, proposed, mayReview, reviewed, ended, stopped },
    ...{ kept, deleted, destroyed, isAutomaticByTwo },
    coverReleased(holdId: string, recordingId: RecordingId, at: number) {
      const recording = recordings.get(recordingId)
      if (recording !== undefined) releaseCover(holdId, recording, at)
    },
    eventRecorded(
      id: string,
      of: { readonly patient: string } | { readonly recording: RecordingId },
      fact: EventFact,
    ) {
      if ('recording' in of) {
        recordings.get(of.recording)?.events.set(id, fact)
        stale.add(of.recording)
        return
      }
      const known = ofPatient.get(of.patient) ?? new Map<string, EventFact>()
      ofPatient.set(of.patient, known.set(id, fact))
      touch(({ patient }) => patient === of.patient)
    },
    eventWithdrawn(id: string) {
      for (const [patient, known] of ofPatient)
        if (known.delete(id)) touch(recording => recording.patient === patient)
      for (const recording of recordings.values()) if (recording.events.delete(id)) stale.add(recording.id)
    },
    birthDateRecorded(of: string, birthDate: string | null) {
      birthDates.set(of, birthDate)
      touch(({ patient }) => patient === of)
    },
    recordSetOfMailbox(of: string, decision: RecordSet) {
      mailboxSet.set(of, decision)
      touch(({ mailbox }) => mailbox === of)
    },
    recordSetOfRecording(id: RecordingId, decision: RecordSet) {
      const recording = recordings.get(id)
      if (recording !== undefined) recording.ownRecordSet = decision
      stale.add(id)
    },
    labelled(id: RecordingId, add: readonly Label[], remove: readonly Label[]) {
      const recording = recordings.get(id)
      if (recording === undefined) return
      for (const label of add) recording.labels.add(label)
      for (const label of remove) recording.labels.delete(label)
      stale.add(id)
      for (const hold of holds.values()) coverByClauses(hold, [recording])
    },
  }
}

function covers(clause: HoldClause, recording: ModelRecording): boolean {
  const { mailbox, patient, number, kind, label, after, before } = clause
  return (
    (mailbox === undefined || mailbox === recording.mailbox) &&
    (patient === undefined || patient === recording.patient) &&
    (number === undefined || number === recording.from || number === recording.to) &&
    (kind === undefined || kind === recording.kind) &&
    (label === undefined || recording.labels.has(label)) &&
    (after === undefined || recording.startedAt >= Date.parse(after)) &&
    (before === undefined || recording.startedAt < Date.parse(before))
  )
}
