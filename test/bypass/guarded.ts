// Recordings that nothing may destroy, each for another reason, in two folder stores, and what is looked at to see that
// nothing happened to them.
//
// All are from long ago, so that their retention is over where nothing else is said: then nothing but the reason itself
// keeps them.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type DispositionId,
  type HoldId,
  type MailboxId,
  newDispositionId,
  newHoldId,
  type RecordingId,
  type RuleId,
  type TenantId,
  type UserId,
} from '@auricle/contract'
import { createFolderStore, type FolderStore, type ObjectFacts } from '@auricle/objects'
import { applyPolicy, attemptReplication, createMailbox, followWork } from '@auricle/vault'
import { archiveAudio } from '../archived.ts'
import { callDestruction, inTenant } from '../disposition-fixture.ts'
import { addRule, leaveOutOfRecordSet } from '../disposition-vault.ts'
import { operatorDid } from '../matrix/operator.ts'
import { type Clinic, shortWav, type TestVault } from '../vault.ts'

export const reasons = [
  'under retention',
  'held, its retention over',
  'undecided',
  'held after its disposition was approved',
  'waiting',
] as const
export type Reason = (typeof reasons)[number]

export interface GuardedRecording {
  readonly reason: Reason
  readonly id: RecordingId
  readonly mailbox: MailboxId
  readonly rule: RuleId
  readonly sourceId: string
}

/** Everything of a recording that must not change for the worse. */
export interface Kept {
  readonly reason: Reason
  readonly id: RecordingId
  /** Sealed columns and marks, as text. */
  readonly row: string
  /** Keys, generations, wraps. */
  readonly objectRows: string
  readonly marked: boolean
  readonly covered: boolean
  readonly stored: readonly Stored[]
}

interface Stored {
  readonly where: string
  readonly facts: Pick<ObjectFacts, 'generation' | 'held' | 'locked'> & { readonly retainUntilMs: number }
  readonly sha256: string
}

export interface Guard {
  readonly vault: TestVault
  readonly clinic: Clinic
  readonly tenantId: TenantId
  readonly recordings: readonly GuardedRecording[]
  readonly primary: FolderStore
  readonly recovery: FolderStore
  /** Covers the two that are held. */
  readonly hold: HoldId
  /** The approved one, of what is held since. */
  readonly disposition: DispositionId
  /** What time it is, for the vault and its stores: the machine's, and what was added. */
  now(): Date
  pass(days: number): void
  look(): Promise<readonly Kept[]>
  /** What is worse than it was; a hold that is released counts only where `holdsStay`. */
  harm(before: readonly Kept[], options?: { readonly holdsStay?: boolean }): Promise<readonly string[]>
  /** Puts back what somebody who may has changed: the hold, what is undecided, the event that is waited for. */
  restore(): Promise<void>
  find(reason: Reason): GuardedRecording
}

const dayMs = 86_400_000
const longAgo = new Date('2020-01-02T10:00:00.000Z')

export interface GuardOptions {
  /** A mailbox for each reason; default: new ones. */
  readonly mailboxes?: Readonly<Record<Reason, { readonly id: MailboxId; readonly address: string }>>
  readonly reviewers: readonly [UserId, UserId]
}

let guards = 0

export async function guard(vault: TestVault, clinic: Clinic, options: GuardOptions): Promise<Guard> {
  const tenantId = clinic.tenant.id
  const number = ++guards
  let addedMs = 0
  const now = () => new Date(Date.now() + addedMs)
  const storeBy = (name: string, clock: () => Date) =>
    createFolderStore({ folder: join(vault.folder, name), now: () => clock().getTime() })
  const past = {
    ...{ ...vault, objects: storeBy('objects', () => longAgo) },
    now: () => longAgo,
  }
  const [primary, recovery] = [storeBy('objects', now), storeBy('recovery', now)]

  const recordings: GuardedRecording[] = []
  const event = () => operatorDid(tenantId)
  for (const [index, reason] of reasons.entries()) {
    const address = `7${number}${index}`
    const made =
      options.mailboxes?.[reason] ??
      Object.assign(await createMailbox(vault, { tenantId, address, name: reason }, {}), { address })
    const rule = await addRule(vault, tenantId, {
      dispose: 'review',
      appliesTo: { kinds: null, mailboxes: [made.id], labels: null, recordSet: null },
      ...(reason === 'under retention' ? { keep: { years: 30, months: 0, days: 0 }, lock: true } : {}),
      ...(reason === 'waiting' ? { from: 'discharged' as const } : {}),
    })
    if (reason !== 'undecided') await leaveOutOfRecordSet(vault, tenantId, made.id)
    const sourceId = `guarded-${number}-${index}`
    const facts = { sourceId, mailbox: made.address, startedAt: longAgo.toISOString() }
    const id = await archiveAudio(past, clinic, shortWav(1), facts)
    const copies = { ...past, recovery: storeBy('recovery', () => longAgo) }
    const copied = await attemptReplication(copies, tenantId, id, {})
    if (copied.status !== 'replicated') throw new Error(`not copied: ${copied.status}`)
    recordings.push({ reason, id, mailbox: made.id, rule, sourceId })
  }
  const find = (reason: Reason): GuardedRecording => {
    const found = recordings.find(one => one.reason === reason)
    if (found === undefined) throw new RangeError(`nothing is ${reason}`)
    return found
  }
  const approve = () => approvedRow(vault, tenantId, find(approved), options.reviewers, now())
  const approved: Reason = 'held after its disposition was approved'
  const held = [find('held, its retention over').id, find(approved).id]
  const place = async (): Promise<HoldId> => {
    const id = newHoldId()
    const { columns } = await vault.secrets.get(tenantId, {})
    const nothing = { clauses: [], custodians: [], notice: null }
    const [by] = options.reviewers
    const hold = { tenantId, id, by, at: now(), matter: 'of a test', recordings: held, ...nothing }
    await vault.catalog.placeHold(hold, columns, event)
    return id
  }
  const follow = async () => {
    await followWork({ catalog: vault.catalog, objects: primary, recovery, now }, {})
  }
  const decide = () =>
    applyPolicy(
      {
        ...{ catalog: vault.catalog, secrets: vault.secrets, now },
        onFailure: (_, error) => {
          throw error
        },
      },
      {},
    )
  await decide()
  let disposition = await approve()
  const ready = await callDestruction(
    vault.database.appPool,
    'refuses_destruction',
    { tenantId, recordingId: find(approved).id },
    now(),
  )
  if (ready !== null) throw new Error(`before its hold nothing keeps it, and yet: ${ready}`)
  let hold = await place()
  for (const { id } of recordings) await vault.catalog.askStore(tenantId, id, now(), {})
  await follow()

  const sql = (text: string, values: unknown[] = []) =>
    vault.database.superuserPool.query(text, [tenantId, ...values])
  const look: Guard['look'] = async () => {
    const kept: Kept[] = []
    for (const { id, reason } of recordings) {
      const rows = await sql(
        `select to_jsonb(r) - '{heard_at,heard_by,labels,patient_id,destroying_at,destroyed_at}'::text[] as row,
           r.destroying_at is not null or r.destroyed_at is not null as marked,
           exists (
             select from auricle.hold_cover c join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
             where c.tenant_id = $1 and c.recording_id = r.id and c.released_at is null and h.released_at is null
           ) as covered
         from auricle.recording r where r.tenant_id = $1 and r.id = $2`,
        [id],
      )
      const objects = await sql(
        `select role, object_key, generation, recovery_generation, sealed_bytes, fingerprint, wrap, destroyed_at
         from auricle.recording_object where tenant_id = $1 and recording_id = $2 order by role`,
        [id],
      )
      const stored: Stored[] = []
      for (const [name, store] of [
        ['primary', primary],
        ['recovery', recovery],
      ] as const) {
        for (const { object_key: key } of objects.rows) {
          const facts = await store.head(key)
          if (facts === null) continue
          const digest = createHash('sha256')
          for await (const piece of store.read(key, null)) digest.update(piece)
          const { generation, held: isHeld, locked, retainUntil } = facts
          stored.push({
            where: `${name} ${key}`,
            facts: { generation, held: isHeld, locked, retainUntilMs: retainUntil?.getTime() ?? 0 },
            sha256: digest.digest('hex'),
          })
        }
      }
      const [found] = rows.rows
      kept.push({
        ...{ reason, id, row: JSON.stringify(found?.row ?? null), stored },
        ...{ marked: found?.marked !== false, covered: found?.covered === true },
        objectRows: JSON.stringify(objects.rows),
      })
    }
    return kept
  }

  return {
    ...{ vault, clinic, tenantId, recordings, primary, recovery, now, look, find },
    get hold() {
      return hold
    },
    get disposition() {
      return disposition
    },
    pass(days) {
      addedMs += days * dayMs
    },
    async harm(before, { holdsStay = true } = {}) {
      const after = await look()
      return before.flatMap(one => {
        const now = after.find(({ id }) => id === one.id)
        return now === undefined ? [`${one.reason}: nothing is left of it`] : worse(one, now, holdsStay)
      })
    },
    async restore() {
      const set = 'update auricle.record_set_decision set superseded_at = now() where tenant_id = $1'
      const undecided = find('undecided')
      await sql(`${set} and superseded_at is null and (recording_id = any ($2) or mailbox_id = $3)`, [
        recordings.map(({ id }) => id),
        undecided.mailbox,
      ])
      await sql(
        `update auricle.retention_event set withdrawn_at = now() where tenant_id = $1 and withdrawn_at is null
         and recording_id = any ($2)`,
        [recordings.map(({ id }) => id)],
      )
      const [first] = (
        await sql('select released_at from auricle.legal_hold where tenant_id = $1 and id = $2', [hold])
      ).rows
      const open = await sql(
        `select disposition_id as id from auricle.disposition_item
         where tenant_id = $1 and recording_id = $2 and state = 'listed'`,
        [find(approved).id],
      )
      if (open.rows.length === 0) disposition = await approve()
      const covers = await sql(
        'select recording_id from auricle.hold_cover where tenant_id = $1 and hold_id = $2 and released_at is null',
        [hold],
      )
      if (first?.released_at !== null || covers.rows.length < held.length) hold = await place()
      await sql(
        'update auricle.retention_decision set revision = -1 where tenant_id = $1 and recording_id = any ($2)',
        [recordings.map(({ id }) => id)],
      )
      await decide()
      await follow()
    },
  }
}

function worse(before: Kept, after: Kept, holdsStay: boolean): readonly string[] {
  const found: string[] = []
  const say = (isWorse: boolean, what: string) => {
    if (isWorse) found.push(`${before.reason}: ${what}`)
  }
  say(after.marked, 'is marked for destruction')
  say(after.row !== before.row, 'its sealed columns changed')
  say(after.objectRows !== before.objectRows, 'keys, generations or wraps changed')
  say(holdsStay && before.covered && !after.covered, 'no hold covers it any more')
  for (const one of before.stored) {
    const now = after.stored.find(({ where }) => where === one.where)
    if (now === undefined) {
      found.push(`${before.reason}: ${one.where} is gone`)
      continue
    }
    say(now.facts.generation !== one.facts.generation, `${one.where} is another object`)
    say(now.sha256 !== one.sha256, `${one.where} has other bytes`)
    say(now.facts.retainUntilMs < one.facts.retainUntilMs, `${one.where} is kept shorter`)
    say(one.facts.locked && !now.facts.locked, `${one.where} is not locked any more`)
    say(holdsStay && one.facts.held && !now.facts.held, `${one.where} is held no longer`)
  }
  return found
}

/** As two people have approved it, and its waiting is over. */
export async function approvedRow(
  vault: TestVault,
  tenantId: TenantId,
  { id: recordingId, rule }: GuardedRecording,
  reviewers: readonly UserId[],
  at: Date,
): Promise<DispositionId> {
  const id = newDispositionId()
  const before = new Date(at.getTime() - dayMs)
  await inTenant(vault.database.appPool, tenantId, async client => {
    await client.query(
      `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, stages, ready_at)
       values ($1, $2, 'waiting', 'review', $3, 2, $3)`,
      [tenantId, id, before],
    )
    await client.query(
      `insert into auricle.disposition_item (tenant_id, disposition_id, recording_id, state, rule_id, rule_version,
         keep_until, due_at, changed_at) values ($1, $2, $3, 'listed', $4, 1, $5, $5, $6)`,
      [tenantId, id, recordingId, rule, longAgo, before],
    )
    for (const [index, reviewer] of reviewers.entries()) {
      await client.query(
        `insert into auricle.disposition_review (tenant_id, disposition_id, stage, reviewed_by, reviewed_at, verdict)
         values ($1, $2, $3, $4, $5, 'approve')`,
        [tenantId, id, index + 1, reviewer, before],
      )
    }
  })
  return id
}
