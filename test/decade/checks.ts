// The vault held against the model: rows, stores, the log.
import { decodeLeaf } from '@auricle/audit'
import type { RecordingId } from '@auricle/contract'
import { explainRecording } from '@auricle/vault'
import type { ModelRecording } from './model.ts'
import { namesIn, type World } from './world.ts'

interface StandingRow {
  readonly id: RecordingId
  readonly destroying_at: Date | null
  readonly status: string | null
  readonly keep_until: Date | null
  readonly due_at: Date | null
  readonly disposal: string | null
  readonly locked: boolean | null
  readonly governing: string | null
  readonly fresh: boolean | null
  readonly held: boolean
}

const iso = (ms: number | null) => (ms === null ? 'never' : new Date(ms).toISOString())

/** What every recording is, by its rows. Returns how many. */
export async function checkStandings({ vault, model, clock }: World): Promise<number> {
  const { rows } = await vault.database.superuserPool.query<StandingRow>(
    `select r.id, r.destroying_at, d.status, d.keep_until, d.due_at, d.disposal, d.locked,
       d.rule_id || '/' || d.rule_version as governing, d.revision = t.policy_revision as fresh,
       exists (
         select from auricle.hold_cover c where c.recording_id = r.id and c.released_at is null
       ) as held
     from auricle.recording r
     join auricle.tenant t on t.id = r.tenant_id
     left join auricle.retention_decision d on d.tenant_id = r.tenant_id and d.recording_id = r.id
       and d.superseded_at is null
     where r.destroyed_at is null`,
  )
  const expected = model.live().length
  if (rows.length !== expected) model.complain(`there are ${rows.length} recordings and not ${expected}`)
  for (const row of rows) {
    const recording = model.recordings.get(row.id)
    if (recording === undefined) model.complain(`${row.id} was never archived`)
    else for (const what of differences(row, recording)) model.complain(`${row.id}: ${what}`)
  }
  return rows.length

  function differences(row: StandingRow, recording: ModelRecording): string[] {
    if (recording.destroyedAt !== null) return [`not destroyed, and was at ${iso(recording.destroyedAt)}`]
    if (row.held && row.destroying_at !== null) return ['held, and still being destroyed']
    // What is locked counts from the decision after the one that locked it, with all that its stores had locked by then; with
    // all that they ever had where whoever shortened it died before that was written down.
    const { lockedUntil, said } = recording
    const untils =
      lockedUntil === null
        ? []
        : [-Infinity, model.storeUntil(recording), model.storeMost(recording)].map(until =>
            Math.max(lockedUntil, until),
          )
    const answers =
      lockedUntil === null
        ? [said ?? model.ask(recording, clock.ms)]
        : untils.map(until => model.ask(recording, clock.ms, undefined, until))
    const allowed = answers.map(answer => standingOf(answer, model.isHeld(recording)))
    const found = [
      ...[row.status, row.keep_until?.toISOString(), row.due_at?.toISOString() ?? 'never', row.disposal],
      ...[row.locked, row.governing, row.fresh ? 'fresh' : 'stale', row.held ? 'held' : 'free'],
    ].join(' ')
    const index = allowed.indexOf(found)
    if (index < 0) return [`is ${found} and not ${allowed.join(' or ')}`]
    recording.said = answers[index] ?? said
    recording.lockedUntil = untils[index] ?? null
    return []
  }

  function standingOf(said: ReturnType<typeof model.ask>, isHeld: boolean): string {
    return [
      ...[said.status, iso(said.keepUntil), iso(said.due), said.disposal, said.locked, said.governing],
      ...['fresh', isHeld ? 'held' : 'free'],
    ].join(' ')
  }
}

/** Both stores, object by object: what is there, how long it is kept, whether it is held. Returns how many. */
export async function checkStores({ stores, model, clock, tenantId }: World): Promise<number> {
  let count = 0
  const live = new Map(model.live().map(recording => [recording.id, recording]))
  const expected = new Map(
    [...model.objects.values()]
      .filter(({ goneAt }) => goneAt === null)
      .map(object => [`${object.store} ${object.key}`, object]),
  )
  for (const name of ['primary', 'recovery'] as const) {
    for (const prefix of [`recordings/${tenantId}/`, `intake/${tenantId}/`]) {
      for await (const { key, retainUntil, held } of stores[name].list(prefix)) {
        count++
        const place = `${name} ${key}`
        const object = expected.get(place)
        expected.delete(place)
        const [id, role] = namesIn(key)
        const recording = id === undefined ? undefined : live.get(id)
        if (object === undefined || recording === undefined) {
          model.complain(`${place} is there, and should not be`)
          continue
        }
        const until = retainUntil?.getTime() ?? null
        if (until !== object.until || held !== object.held)
          model.complain(`${place} is kept until ${iso(until)}, and the store said ${iso(object.until)}`)
        if (role === 'intake' || role === 'stray') continue
        const said = recording.said ?? model.ask(recording, clock.ms)
        const isWanted = model.isHeld(recording) || said.status === 'waiting'
        if (held !== isWanted) model.complain(`${place} is ${held ? '' : 'not '}held in the store`)
        if (said.keepUntil > clock.ms && (until ?? 0) < said.keepUntil)
          model.complain(`${place} is kept until ${iso(until)} and not until ${iso(said.keepUntil)}`)
      }
    }
  }
  for (const place of expected.keys()) model.complain(`${place} is missing`)
  return count
}

/** Nothing of what is destroyed is left in any row, and its certificate names every object. Returns how many. */
export async function checkEmptied({ vault, model }: World): Promise<number> {
  const { rows } = await vault.database.superuserPool.query<{
    readonly id: RecordingId
    readonly sealed: number
    readonly wraps: number
    readonly notices: number
    readonly covers: number
    readonly work: number
    readonly certificates: number
    readonly objects: number
    readonly rule: string
    readonly kind: string
    readonly people: number
    readonly stages: number
  }>(
    `select r.id,
       num_nonnulls(r.source_id, r.from_number, r.from_name, r.to_number, r.patient_reference, r.note, r.from_index,
         r.to_index) as sealed,
       (select count(*)::int from auricle.recording_object o
        where o.recording_id = r.id and (o.wrap is not null or o.destroyed_at is null)) as wraps,
       (select count(*)::int from auricle.intake i
        where i.recording_id = r.id and num_nonnulls(i.sealed_notice, i.content_mac) > 0) as notices,
       (select count(*)::int from auricle.hold_cover c
        where c.recording_id = r.id and c.released_at is null) as covers,
       (select count(*)::int from auricle.store_work w where w.recording_id = r.id) as work,
       (select count(*)::int from auricle.certificate c where c.recording_id = r.id) as certificates,
       (select coalesce(max(jsonb_array_length(c.claims->'objects')), 0) from auricle.certificate c
        where c.recording_id = r.id) as objects,
       i.rule_id || '/' || i.rule_version as rule, d.kind, d.stages,
       (select count(distinct v.reviewed_by)::int from auricle.disposition_review v
        where v.disposition_id = d.id and v.verdict = 'approve' and v.reviewed_by is distinct from d.proposed_by)
         as people
     from auricle.recording r
     join auricle.disposition_item i on i.recording_id = r.id and i.state = 'destroyed'
     join auricle.disposition d on d.tenant_id = i.tenant_id and d.id = i.disposition_id
     where r.destroyed_at is not null`,
  )
  for (const row of rows) {
    const say = (what: string) => model.complain(`${row.id} is destroyed, and ${what}`)
    if (row.sealed + row.wraps + row.notices + row.covers + row.work > 0)
      say('something of it is left in rows')
    if (row.certificates !== 1) say(`has ${row.certificates} certificates`)
    const objects = model.recordings.get(row.id)?.objects.length ?? 0
    if (row.objects !== objects) say(`its certificate names ${row.objects} objects of ${objects}`)
    const isByTwo = row.kind === 'automatic' ? model.isAutomaticByTwo(row.rule) : row.people >= row.stages
    if (!isByTwo || (row.kind === 'review' && row.people < 1)) say('two people do not stand behind it')
  }
  const expected = [...model.recordings.values()].filter(({ destroyedAt }) => destroyedAt !== null).length
  if (rows.length !== expected) model.complain(`${rows.length} recordings are destroyed and not ${expected}`)
  return rows.length
}

const eventsAtOnce = 5000

/** One `recording.disposed` of each, after a `recording.destroying`, and none of what is there. Returns how many events. */
export async function checkLog({ vault, model, tenantId }: World): Promise<number> {
  const begun = new Map<string, string>()
  const disposed = new Map<string, number>()
  let total = 0
  let afterId: Parameters<typeof vault.catalog.listEvents>[1]['afterId'] = null
  for (;;) {
    const page: Awaited<ReturnType<typeof vault.catalog.listEvents>> = await vault.catalog.listEvents(
      tenantId,
      {
        afterId,
        limit: eventsAtOnce,
      },
    )
    for (const { leaf } of page) {
      const { action, object, at } = decodeLeaf(leaf)
      if (object === null) continue
      if (action === 'recording.destroying') begun.set(object.id, at)
      if (action !== 'recording.disposed') continue
      disposed.set(object.id, (disposed.get(object.id) ?? 0) + 1)
      const since = begun.get(object.id)
      if (since === undefined || since > at)
        model.complain(`${object.id} was disposed of at ${at}, and begun at ${since ?? 'no time'}`)
    }
    total += page.length
    afterId = page.at(-1)?.id ?? null
    if (page.length < eventsAtOnce) break
  }
  for (const { id, destroyedAt } of model.recordings.values()) {
    const expected = destroyedAt === null ? 0 : 1
    const found = disposed.get(id) ?? 0
    if (found !== expected) model.complain(`${id} has ${found} events recording.disposed and not ${expected}`)
  }
  return total
}

/** As a person is told it, of some. */
export async function checkExplained(world: World, most: number): Promise<number> {
  const { model, random, people, clock } = world
  const chosen = random.shuffle([...model.recordings.values()]).slice(0, most)
  const [officer] = people
  if (officer === undefined) throw new RangeError('no people')
  for (const recording of chosen) {
    const parts = { ...world.vault, ...world }
    const { state } = await explainRecording(parts, world.facts(officer), recording.id, {})
    const expected = model.stateOf(recording, clock.ms)
    const isBegun = recording.destroyedAt === null && recording.item !== null && state === 'destroying'
    if (state !== expected && !isBegun)
      model.complain(`${recording.id} is told to be ${state} and is ${expected}`)
  }
  return chosen.length
}

const historiesMost = 5

/** Of the first recordings with which something is wrong, to see why. */
export async function historiesOf({ vault, model }: World): Promise<readonly string[]> {
  const ids = new Set(model.wrong.flatMap(what => /rec_\w+/.exec(what)?.[0] ?? []))
  const { rows } = await vault.database.superuserPool.query<{ readonly line: string }>(
    `select recording_id || ' ' || line as line from (
       select d.recording_id, d.decided_at as at, 'decided ' || to_jsonb(d)::text as line
       from auricle.retention_decision d
       union all
       select i.recording_id, i.changed_at, 'item ' || to_jsonb(i)::text from auricle.disposition_item i
       union all
       select c.recording_id, c.covered_at, 'held ' || to_jsonb(c)::text from auricle.hold_cover c
     ) h where recording_id = any ($1) order by recording_id, at`,
    [[...ids].slice(0, historiesMost)],
  )
  return rows.map(({ line }) => line)
}
