// What must be true after the storm.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeLeaf } from '@auricle/audit'
import type { ObjectFacts } from '@auricle/objects'
import { sweepIntakeObjects, verifyTenant } from '@auricle/vault'
import { guardedKeys } from '../guarded-keys.ts'
import type { Clinic } from '../harness/clinic.ts'
import { send } from '../harness/http-client.ts'
import type { Stack } from '../harness/stack.ts'
import { mebibytes, say, type Verdict } from '../harness/verdict.ts'
import { checkBuckets } from './google-checks.ts'
import type { Accepted, Sender } from './sender.ts'

const fetchTimeoutMs = 120_000
const readersAtOnce = 4

export async function checkAll(
  stack: Stack,
  clinic: Clinic,
  sender: Sender,
  verdict: Verdict,
): Promise<void> {
  const accepted = [...sender.accepted.values()]
  checkReceipts(accepted, sender, verdict)
  await checkRows(stack, accepted, verdict)
  await checkOriginals(stack, clinic, accepted, verdict)
  await checkLog(stack, accepted, verdict)
  await checkObjects(stack, clinic, verdict)
  if (stack.google !== null) await checkBuckets(stack, stack.google, verdict)
  await checkCopies(stack, accepted, verdict)
  await checkQueue(stack, verdict)
}

function checkReceipts(accepted: readonly Accepted[], sender: Sender, verdict: Verdict): void {
  for (const surprise of sender.surprises) say(`       ${surprise}`)
  verdict.check(
    sender.surprises.length === 0,
    'every delivery was answered as it should be',
    `${sender.surprises.length} were not`,
  )
  const differing = accepted.filter(
    ({ receipts }) => new Set(receipts.map(r => JSON.stringify(r))).size !== 1,
  )
  const repeated = accepted.filter(({ receipts }) => receipts.length > 1).length
  verdict.check(
    differing.length === 0,
    'a delivery that came again got the receipt of the first',
    `${repeated} came again, ${differing.length} differ`,
  )
  const ids = new Set(accepted.map(idOf))
  verdict.check(ids.size === accepted.length, 'no two deliveries share a recording', `${ids.size} recordings`)
}

function idOf({ receipts }: Accepted): string {
  return receipts[0]?.recording ?? ''
}

async function checkRows(
  { superuser }: Stack,
  accepted: readonly Accepted[],
  verdict: Verdict,
): Promise<void> {
  const ids = new Set(accepted.map(idOf))
  for (const [table, column] of [
    ['intake', 'recording_id'],
    ['recording', 'id'],
  ]) {
    const { rows } = await superuser.query<{ id: string }>(`select ${column} as id from auricle.${table}`)
    const missing = [...ids].filter(id => !rows.some(row => row.id === id)).length
    const extra = rows.filter(row => !ids.has(row.id)).length
    verdict.check(
      missing === 0 && extra === 0 && rows.length === ids.size,
      `table ${table} has one row for each 2xx and no other`,
      `${rows.length} rows, ${missing} missing, ${extra} extra`,
    )
  }
  const { rows: states } = await superuser.query<{ name: string; count: string }>(
    'select audio_state as name, count(*) from auricle.recording group by 1 order by 1',
  )
  verdict.check(
    states.every(({ name }) => name === 'ready'),
    'every recording has its rendition and its waveform',
    states.map(({ name, count }) => `${name} ${count}`).join(', '),
  )
}

async function checkOriginals(
  stack: Stack,
  clinic: Clinic,
  accepted: readonly Accepted[],
  verdict: Verdict,
): Promise<void> {
  const waiting = [...accepted]
  let identical = 0
  let logged = 0
  let bytes = 0
  const read = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const id = idOf(next)
      const answer = await send({
        method: 'GET',
        url: `${stack.urls.api}/v1/recordings/${id}/audio?role=original`,
        headers: { authorization: `Bearer ${clinic.clinician.token}` },
        body: null,
        timeoutMs: fetchTimeoutMs,
        onHead: async () => {
          if ((await countEvents(stack, id, 'recording.played')) === 1) logged++
        },
      })
      const sha256 = createHash('sha256').update(answer.body).digest('hex')
      if (answer.status === 200 && sha256 === next.sha256) identical++
      else say(`       ${next.recording.sourceId} (${id}): ${answer.status}, ${answer.body.length} bytes`)
      bytes += answer.body.length
    }
  }
  await Promise.all(Array.from({ length: readersAtOnce }, read))
  verdict.check(
    identical === accepted.length,
    'every original, fetched by the clinician, is byte for byte what was sent',
    `${identical} of ${accepted.length}, ${mebibytes(bytes)}`,
  )
  verdict.check(
    logged === accepted.length,
    'its access event was durable before its first byte',
    `${logged} of ${accepted.length}`,
  )
}

async function countEvents({ superuser }: Stack, recordingId: string, action: string): Promise<number> {
  const { rows } = await superuser.query<{ leaf: Buffer }>(
    'select leaf from auricle.audit_event where position($1::bytea in leaf) > 0',
    [Buffer.from(recordingId)],
  )
  return rows.filter(({ leaf }) => decodeLeaf(leaf).action === action).length
}

async function checkLog(
  { superuser }: Stack,
  accepted: readonly Accepted[],
  verdict: Verdict,
): Promise<void> {
  const { rows } = await superuser.query<{ leaf: Buffer }>('select leaf from auricle.audit_event')
  const events = rows.map(({ leaf }) => decodeLeaf(leaf))
  const actions = [
    'delivery.received',
    'recording.archived',
    'recording.replicated',
    'recording.played',
  ] as const
  for (const action of actions) {
    const counts = new Map<string, number>()
    for (const event of events) {
      if (event.action === action && event.object !== null)
        counts.set(event.object.id, (counts.get(event.object.id) ?? 0) + 1)
    }
    const once = accepted.filter(one => counts.get(idOf(one)) === 1).length
    verdict.check(
      once === accepted.length && counts.size === accepted.length,
      `the log has ${action} exactly once for each recording`,
      `${once} of ${accepted.length}, ${counts.size} recordings named`,
    )
  }
  const refused = events.filter(({ action }) => action === 'delivery.refused').length
  // One whose connection or database was killed under it leaves none, and a flood of them is thinned out.
  verdict.check(refused > 0, 'refused deliveries are in the log', `${refused} of ${events.length} events`)
}

async function checkObjects(stack: Stack, clinic: Clinic, verdict: Verdict): Promise<void> {
  const { catalog, objects, noteKeyUse } = stack.adapters
  const keys = guardedKeys(stack.adapters.keys, noteKeyUse)
  let left = 0
  for await (const _ of objects.list('intake/')) left++
  const swept = await sweepIntakeObjects({ catalog, objects: stack.stores.objects, now: later }, 0, {})
  const after: string[] = []
  for await (const { key } of objects.list('intake/')) after.push(key)
  verdict.check(
    after.length === 0,
    'what deliveries that did not succeed left behind is swept',
    `${left} objects left, swept ${swept.unclaimed} unclaimed and ${swept.archived} archived, ${after.length} remain`,
  )
  if (stack.google === null) await checkTemporaries(stack, verdict)
  const found = { good: 0, bad: 0, stray: 0 }
  let bytes = 0
  for await (const finding of verifyTenant(
    { catalog, log: stack.log, objects, keys },
    clinic.tenant.id,
    {},
  )) {
    found[finding.type]++
    if (finding.type === 'good') bytes += finding.bytes
    else say(`       ${JSON.stringify(finding)}`)
  }
  verdict.check(
    found.bad === 0 && found.stray === 0 && found.good > 0,
    'every stored object opens whole and is the one that was archived',
    `${found.good} good (${mebibytes(bytes)}), ${found.bad} bad, ${found.stray} stray`,
  )
}

async function checkTemporaries(stack: Stack, verdict: Verdict): Promise<void> {
  const temporaries = await stack.adapters.sweepTemporary({ olderThanMs: -1 })
  const names = await readdir(join(stack.dataFolder, 'objects'), { recursive: true })
  const parts = names.filter(name => name.endsWith('.part'))
  verdict.check(
    parts.length === 0,
    'no temporary file of the store is left after its sweep',
    `${temporaries} swept, ${parts.length} remain`,
  )
}

/** Both stores side by side, as bytes: whatever rows and events say. */
async function checkCopies(
  { adapters, stores, superuser }: Stack,
  accepted: readonly Accepted[],
  verdict: Verdict,
): Promise<void> {
  const { objects, recovery } = stores
  if (recovery === null) throw new TypeError('a chaos run has a recovery store')
  const { rows } = await superuser.query<{ key: string; generation: string | null }>(
    `select object_key as key, recovery_generation as generation
     from auricle.recording_object order by object_key`,
  )
  const copies = new Map<string, ObjectFacts>()
  for await (const facts of recovery.list('')) copies.set(facts.key, facts)
  let identical = 0
  let bytes = 0
  for (const { key, generation } of rows) {
    const [primary, copy] = [await objects.head(key), copies.get(key)]
    const isKept = primary?.retainUntil?.getTime() === copy?.retainUntil?.getTime()
    if (primary !== null && copy !== undefined && copy.generation === generation && isKept) {
      const [one, two] = [await digestOf(objects.read(key, null)), await digestOf(recovery.read(key, null))]
      if (one === two) identical++
      bytes += copy.sizeBytes
    } else
      say(
        `       ${key} ${copy === undefined ? 'has no copy' : 'and its copy differ in generation or retention'}`,
      )
  }
  verdict.check(
    identical === rows.length && copies.size === rows.length && rows.length >= accepted.length,
    'every object has a copy in the recovery store with the same SHA-256, kept as long, and nothing else is there',
    `${identical} of ${rows.length} objects, ${copies.size} copies, ${mebibytes(bytes)}`,
  )
  const backlog = await adapters.catalog.replicationBacklog()
  verdict.check(
    backlog.objects === 0,
    'the catalog knows a copy of every object',
    `${backlog.objects} without, ${backlog.damaged} damaged`,
  )
}

async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

/** The clocks of kernel and process may differ by a tick, and an age of 0 means all. */
const later = () => new Date(Date.now() + 1_000)

async function checkQueue(stack: Stack, verdict: Verdict): Promise<void> {
  const { rows } = await stack.superuser.query<{ count: string }>('select count(*) from auricle.outbox')
  const jobs = await stack.adapters.openJobs()
  const { waiting, active, delayed, failed } = await jobs.counts()
  const outbox = Number(rows[0]?.count)
  verdict.check(
    outbox === 0 && waiting === 0 && active === 0 && delayed === 0,
    'nothing waits in outbox or queue',
    `outbox ${outbox}, waiting ${waiting}, active ${active}, delayed ${delayed} (failed, kept to be looked at: ${failed})`,
  )
}
