// Every part of the worker that deletes or changes objects, set on recordings that are kept: also with orders that nobody
// who may has given.
import { createAudioTool } from '@auricle/audio'
import { DispositionId, IntakeId, newIntakeId, newRecordingId } from '@auricle/contract'
import {
  applyPolicy,
  archive,
  attemptReplication,
  type DestroyReadyParts,
  destroyReady,
  destroyRecording,
  findDrift,
  followWork,
  namePatients,
  receive,
  sweepDue,
  sweepIntakeObjects,
} from '@auricle/vault'
import { auditEvents } from '../audit-log.ts'
import { decideRow, inTenant } from '../disposition-fixture.ts'
import { operatorDid } from '../matrix/operator.ts'
import { deliveryOf, noticeOf, shortWav } from '../vault.ts'
import type { Attempt } from './attempt.ts'
import { approvedRow, type Guard, type GuardedRecording } from './guarded.ts'

interface Answer {
  readonly refused: string
  /** The action of the event that tells of it; null where there is nothing to tell. */
  readonly event: string | null
}

const nothing = '-'
const dayMs = 86_400_000

/** Leaves everything as it was. */
export async function tryWorkers(guard: Guard): Promise<readonly Attempt[]> {
  const { vault, tenantId, primary, recovery, now } = guard
  const { catalog, secrets } = vault
  const parts: DestroyReadyParts = {
    ...{ catalog, secrets, stores: { primary, recovery }, backupDays: 35 },
    now: () => new Date(now().getTime() + 8 * dayMs),
  }
  const reviewers = [guard.clinic.complianceOfficer.row.id, guard.clinic.administrator.row.id] as const
  const attempts: Attempt[] = []
  const attempt = async (what: string, run: () => Promise<Answer>, holdsStay = true) => {
    const before = await guard.look()
    const known = new Set((await auditEvents(vault, tenantId)).map(({ id }) => id))
    const { refused, event } = await run()
    const told = (await auditEvents(vault, tenantId)).filter(
      ({ id, action }) => !known.has(id) && action === event,
    )
    const harm = [...(await guard.harm(before, { holdsStay }))]
    if (event !== null && told.length === 0) harm.push(`no ${event} in the log`)
    attempts.push({ ...{ wall: 'worker', by: 'worker', what, refused, harm }, logged: event ?? nothing })
    await guard.restore()
  }
  const each = async (what: string, run: (one: GuardedRecording) => Promise<Answer>) => {
    for (const one of guard.recordings) await attempt(`${what}: ${one.reason}`, () => run(one))
  }

  await attempt('sweep what deliveries left, whatever its age', async () => {
    const later = { catalog, objects: primary, now: () => new Date(now().getTime() + 2 * dayMs) }
    await sweepIntakeObjects(later, 0, {})
    return { refused: 'looks under intake/ alone', event: null }
  })
  await attempt('sweep temporary files, whatever their age', async () => {
    await primary.sweepTemporary({ olderThanMs: 0 })
    await recovery.sweepTemporary({ olderThanMs: 0 })
    return { refused: 'looks at temporary files alone', event: null }
  })
  await each('archive its delivery again', async ({ id }) => {
    const fetchAudio = () => Promise.reject(new Error('nothing is fetched in this test'))
    const archiving = { ...vault, objects: primary, audio: createAudioTool(), fetchAudio }
    const { status } = await archive(archiving, tenantId, await intakeOf(guard, id), {})
    return { refused: status === 'gone' ? 'archived already' : status, event: null }
  })
  await each(
    'archive a delivery again, of which a forged row says that it lay where the recording lies',
    async ({ id }) => {
      const forged = await forgeDelivery(guard, id)
      const fetchAudio = () => Promise.reject(new Error('nothing is fetched in this test'))
      const archiving = { ...vault, objects: primary, audio: createAudioTool(), fetchAudio }
      await archive(archiving, tenantId, forged, {})
      return { refused: 'deletes under intake/ alone', event: null }
    },
  )
  await each('deliver other sound by its name', async ({ sourceId, id }) => {
    const delivery = deliveryOf(shortWav(2), noticeOf(sourceId))
    const parts = { ...vault, objects: primary }
    const refused = await receive(parts, guard.clinic.connector, delivery, { request: 'a-test' }).then(
      ({ receipt }) => (receipt.recording === id ? 'taken for what is there' : 'another recording'),
      (error: unknown) => codeOf(error),
    )
    return { refused, event: null }
  })
  await each('copy it again', async ({ id }) => {
    const { status } = await attemptReplication(
      { ...vault, objects: primary, recovery, now },
      tenantId,
      id,
      {},
    )
    return { refused: `nothing to copy (${status})`, event: null }
  })
  await attempt('name patients', async () => {
    await namePatients({ catalog, secrets }, {})
    return { refused: 'touches no object', event: null }
  })
  await attempt('apply the rules, and propose what is due', async () => {
    const failing = {
      ...{ catalog, secrets, now: parts.now ?? now },
      onFailure: (_: unknown, error: unknown) => {
        throw error
      },
    }
    await applyPolicy(failing, {})
    await sweepDue(failing, {})
    const { rows } = await vault.database.superuserPool.query(
      `select recording_id from auricle.disposition_item
       where tenant_id = $1 and recording_id = any ($2) and state = 'listed' and disposition_id <> $3`,
      [tenantId, guard.recordings.map(({ id }) => id), guard.disposition],
    )
    return { refused: rows.length === 0 ? 'not due' : `proposed ${rows.length}`, event: null }
  })
  await attempt('destroy what is ready', async () => {
    const { destroyed, takenOut } = await destroyReady(parts, {})
    return { refused: `destroyed ${destroyed}, taken out ${takenOut}: held`, event: 'disposition.stopped' }
  })
  await each('destroy it by a disposition that it is not in', async ({ id, reason }) => {
    const other = reason.startsWith('held after')
      ? DispositionId.parse(guard.disposition.replace(/.$/, last => (last === '0' ? '1' : '0')))
      : guard.disposition
    const item = { tenantId, recordingId: id, dispositionId: other, attempts: 0, isBegun: false }
    return { refused: (await destroyRecording(parts, item, {})).status, event: null }
  })
  await each('destroy it by approvals that were forged', async one => {
    const { id: recordingId } = one
    const dispositionId = await openOne(guard, one, reviewers)
    const item = { tenantId, recordingId, dispositionId, attempts: 0, isBegun: false }
    const outcome = await destroyRecording(parts, item, {})
    const refused = 'reason' in outcome ? `${outcome.status}: ${outcome.reason}` : outcome.status
    await endOpen(guard, recordingId)
    return { refused, event: outcome.status === 'taken_out' ? 'disposition.stopped' : null }
  })
  await each('the same, in a round of the loop', async one => {
    await openOne(guard, one, reviewers)
    const outcomes: string[] = []
    const { destroyed } = await destroyReady(
      {
        ...parts,
        onOutcome(outcome, { recordingId }) {
          if (recordingId === one.id && 'reason' in outcome)
            outcomes.push(`${outcome.status}: ${outcome.reason}`)
        },
      },
      {},
    )
    await endOpen(guard, one.id)
    const isStore = outcomes.some(text => text.startsWith('postponed'))
    return {
      refused: [...outcomes, ...(destroyed > 0 ? [`destroyed ${destroyed}`] : [])].join(', '),
      event: isStore ? 'store.refused' : 'disposition.stopped',
    }
  })
  await each('delete an object of it in the lock of a destruction', async one => {
    const dispositionId = await openOne(guard, one, reviewers)
    let asked = 0
    const step = { tenantId, recordingId: one.id, dispositionId, now: now() }
    const refusal = await catalog.destroyObject(step, async () => {
      asked++
      throw new Error('the store was asked')
    })
    await endOpen(guard, one.id)
    return {
      refused: asked === 0 ? `${refusal}, before the store is asked` : 'the store was asked',
      event: null,
    }
  })
  await each('mark it for destruction', async one => {
    const dispositionId = await openOne(guard, one, reviewers)
    const step = { tenantId, recordingId: one.id, dispositionId, now: now() }
    const outcome = await catalog.beginDestruction(step, await operatorDid(tenantId))
    await endOpen(guard, one.id)
    return { refused: outcome.status === 'refused' ? outcome.reason : outcome.status, event: null }
  })
  for (const one of guard.recordings) {
    // Its hold stands for what its decision says: the row is believed there, and nowhere else.
    const isOfRow = one.reason === 'waiting'
    const holds = isOfRow ? ': the hold for its event comes off, and it is not destroyed by that' : ''
    const less = async () => {
      await decideLess(guard, one)
      await catalog.askStore(tenantId, one.id, now())
      await followWork({ catalog, objects: primary, recovery, now }, {})
    }
    await attempt(
      `follow a decision that was forged to say less: ${one.reason}`,
      async () => {
        await less()
        return { refused: `retention only grows${holds}`, event: null }
      },
      !isOfRow,
    )
    await attempt(
      `look for drift, and mend, by such a decision: ${one.reason}`,
      async () => {
        await decideLess(guard, one)
        const orders = { by: 'worker', mend: true, unless: null } as const
        await findDrift({ catalog, objects: primary, recovery, now }, tenantId, orders, {})
        const isTold = isOfRow || one.reason === 'under retention'
        const event = isTold ? 'store.drifted' : null
        return { refused: `mended is only what is too little${holds}`, event }
      },
      !isOfRow,
    )
    await attempt(
      `destroy it by such a decision and forged approvals, stores following: ${one.reason}`,
      async () => {
        await openOne(guard, one, reviewers)
        await less()
        const outcomes: string[] = []
        const onOutcome: DestroyReadyParts['onOutcome'] = (outcome, { recordingId }) => {
          const reason = 'reason' in outcome ? outcome.reason : outcome.status
          if (recordingId === one.id) outcomes.push(`${outcome.status}: ${reason}`)
        }
        await destroyReady({ ...parts, onOutcome }, {})
        await endOpen(guard, one.id)
        const isStore = outcomes.some(text => text.includes('store_'))
        return { refused: outcomes.join(', '), event: isStore ? 'store.refused' : 'disposition.stopped' }
      },
      !isOfRow,
    )
  }
  return attempts
}

/** What every worker does in its time: rules, proposals, the end of what is ready, the stores. */
export async function tryRound({ vault: { catalog, secrets }, primary, recovery, now }: Guard) {
  const failing = {
    ...{ catalog, secrets, now },
    onFailure: (_: unknown, error: unknown) => {
      throw error
    },
  }
  await applyPolicy(failing, {})
  await sweepDue(failing, {})
  await followWork({ catalog, objects: primary, recovery, now }, {})
  return destroyReady({ catalog, secrets, stores: { primary, recovery }, backupDays: 35, now }, {})
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

async function intakeOf({ vault }: Guard, id: string): Promise<IntakeId> {
  const { rows } = await vault.database.superuserPool.query(
    'select intake_id from auricle.recording where id = $1',
    [id],
  )
  return IntakeId.parse(rows[0]?.intake_id)
}

/** A row that the services' role may write: archived, and its delivery under the key of somebody's recording. */
async function forgeDelivery({ vault, tenantId, clinic }: Guard, id: string): Promise<IntakeId> {
  const intakeId = newIntakeId()
  await inTenant(vault.database.appPool, tenantId, client =>
    client.query(
      `insert into auricle.intake (tenant_id, id, connector_id, source_key, recording_id, state, sealed_notice,
         received_at, next_attempt_at, touched_at, object_key)
       select $1, $2, $3, sha256(convert_to($2, 'UTF8')), $4, 'archived', '\\x00', now(), now(), now(), o.object_key
       from auricle.recording_object o where o.tenant_id = $1 and o.recording_id = $5 and o.role = 'original'`,
      [tenantId, intakeId, clinic.connectorRow.id, newRecordingId(), id],
    ),
  )
  return intakeId
}

/** What is in one already stays in it. */
async function openOne(
  guard: Guard,
  one: GuardedRecording,
  reviewers: Parameters<typeof approvedRow>[3],
): Promise<DispositionId> {
  if (one.reason.startsWith('held after')) return guard.disposition
  return approvedRow(guard.vault, guard.tenantId, one, reviewers, guard.now())
}

async function endOpen(guard: Guard, recordingId: string): Promise<void> {
  await guard.vault.database.superuserPool.query(
    `update auricle.disposition_item set state = 'kept', reason = 'of a test'
     where tenant_id = $1 and recording_id = $2 and state in ('listed', 'destroying')`,
    [guard.tenantId, recordingId],
  )
}

/** As somebody could write it who has the services' role of the database. */
export async function decideLess(
  { vault, tenantId, now }: Guard,
  { id, rule }: GuardedRecording,
): Promise<void> {
  const { rows } = await vault.database.superuserPool.query(
    'select policy_revision::int as revision from auricle.tenant where id = $1',
    [tenantId],
  )
  const over = new Date(now().getTime() - dayMs)
  await decideRow(vault.database.appPool, { tenantId, recordingId: id }, now(), {
    ...{ status: 'kept', disposal: 'review', ruleId: rule, keepUntil: over, dueAt: over },
    revision: rows[0]?.revision,
  })
}
