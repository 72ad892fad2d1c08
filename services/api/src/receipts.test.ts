// Asks for what the log records, and holds the receipts in the answers to the rows of the log.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseReceipt, parseVerifierKey, verifyNote } from '@auricle/audit'
import type { RecordingId, TenantId } from '@auricle/contract'
import { actorOf, auditRecord, checkReceipt, createEventLog, createEventWriter } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { sealLog } from '../../../test/sealed-log.ts'
import { type Clinic, makeClinic, openTestVault, sample, type TestVault } from '../../../test/vault.ts'
import { endorseOwnReceiptKey } from './endorse.ts'

let vault: TestVault
let clinic: Clinic
let front: Front
let recording: RecordingId

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  recording = await archiveAudio(
    vault,
    clinic,
    await sample('voicemail-short.wav'),
    { sourceId: 'one' },
    { audio: null },
  )
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const operatorEventOf = (tenantId: TenantId) =>
  auditRecord(
    {
      ...{ tenantId, action: 'tenant.shown', outcome: 'allowed', object: null, request: 'r' },
      actor: { type: 'system', name: 'operator' },
    },
    null,
  )

async function ask(token: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${front.url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  await response.arrayBuffer()
  return response
}

/** The receipts of an answer, each verified, as the log has their events. */
async function receiptsOf(response: Response): Promise<readonly { action: string; outcome: string }[]> {
  const header = response.headers.get('x-auricle-receipt')
  const found = []
  for (const encoded of header === null ? [] : header.split(', ')) {
    const key = parseVerifierKey(vault.writer.receiptKey ?? assert.fail())
    const { note } = await verifyNote(Buffer.from(encoded, 'base64').toString(), [key])
    const receipt = parseReceipt(note.text)
    assert.equal(receipt.tenantId, clinic.tenant.id)
    const { rows } = await vault.database.superuserPool.query<{ leaf: Buffer; request: string }>(
      'select leaf from auricle.audit_event where tenant_id = $1 and id = $2 and leaf_hash = $3',
      [receipt.tenantId, receipt.eventId, receipt.leafHash],
    )
    const [row] = rows
    assert.ok(row, 'the log does not have what the receipt is of')
    const event = JSON.parse(row.leaf.toString().split('\n')[1] ?? '')
    assert.equal(event.request, response.headers.get('x-request-id'))
    found.push({ action: event.action, outcome: event.outcome })
  }
  return found
}

test('whoever sees, hears or is refused has the receipt of the event', async () => {
  const token = (await front.sessionOf(clinic.clinician)).token
  const stranger = (await front.sessionOf(clinic.stranger)).token
  assert.deepEqual(await receiptsOf(await ask(token, '/v1/recordings')), [
    { action: 'recording.listed', outcome: 'allowed' },
  ])
  assert.deepEqual(await receiptsOf(await ask(token, `/v1/recordings/${recording}/audio?role=original`)), [
    { action: 'recording.played', outcome: 'allowed' },
  ])
  const refused = await ask(stranger, `/v1/recordings/${recording}/audio?role=original`)
  assert.equal(refused.status, 403)
  assert.deepEqual(await receiptsOf(refused), [{ action: 'recording.played', outcome: 'denied' }])
  // What commits with a change, too.
  const made = await fetch(`${front.url}/v1/recordings/${recording}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ heard: true }),
  })
  await made.arrayBuffer()
  assert.ok((await receiptsOf(made)).some(({ action }) => action === 'recording.marked'))
})

test('a request that begins no event of its own has no receipt', async () => {
  const token = (await front.sessionOf(clinic.clinician)).token
  const seek = () => ask(token, `/v1/recordings/${recording}/audio?role=original`, { range: 'bytes=0-99' })
  assert.equal((await receiptsOf(await seek())).length, 1)
  assert.deepEqual(await receiptsOf(await seek()), [])
  assert.equal((await fetch(`${front.url}/healthz`)).headers.get('x-auricle-receipt'), null)
})

test('who is not signed in learns from no receipt whether there was something to record', async () => {
  const { row } = clinic.clinician
  for (const login of [row.login, 'nobody']) {
    const response = await fetch(`${front.url}/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant: clinic.tenant.slug, login, password: 'not the one', code: '000000' }),
    })
    await response.arrayBuffer()
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('x-auricle-receipt'), null)
  }
})

test('a process has its key signed for, and starts also where nobody will', async () => {
  const { signal } = new AbortController()
  const warned: string[] = []
  const parts = {
    config: { logName: 'auricle.test' },
    keys: vault.keyService,
    logStore: vault.logStore,
    writer: vault.writer,
    logger: { warn: (message: string) => warned.push(message) },
  }
  await endorseOwnReceiptKey(parts, { signal })
  const names: string[] = []
  for await (const { key } of vault.logStore.list('receipt-keys/')) names.push(key)
  assert.deepEqual(names, [`receipt-keys/${vault.writer.id}`])
  assert.deepEqual(warned, [])
  const keys = { ...vault.keyService, ensure: () => Promise.reject(new Error('not allowed')) }
  await endorseOwnReceiptKey({ ...parts, keys }, { signal })
  assert.equal(warned.length, 1)
})

test('an API that can record nothing, or whose events nobody seals, is not ready', async () => {
  const { tenantId } = clinic.connectorRow
  const catalog = { ...vault.catalog, appendStamped: () => Promise.reject(new Error('the disk is full')) }
  await using log = createEventLog({ catalog, writer: vault.writer, store: null })
  let failingMs = 0
  await using failing = await openFront(vault, { log: { ...log, failingMs: () => failingMs } })
  const ready = async () => {
    const response = await fetch(`${failing.url}/readyz`)
    return [response.status, await response.json()]
  }
  failingMs = 4_999
  assert.deepEqual(await ready(), [200, { status: 'ready' }])
  failingMs = 5_000
  const missing = (code: string) => [503, { status: 'not ready', missing: [{ name: 'log', code }] }]
  assert.deepEqual(await ready(), missing('log_unavailable'))
  failingMs = 0
  // An event of a minute ago that no tree holds.
  await vault.database.superuserPool.query(
    `insert into auricle.audit_event (tenant_id, id, leaf, recorded_at, xid)
     values ($1, 'evt_00000000000000000000000000', 'x', now() - interval '61 seconds', '3')`,
    [tenantId],
  )
  assert.deepEqual(await ready(), missing('log_unsealed'))
})

test('a receipt is held against the log: kept, and evidence where the log was changed', async () => {
  const other = await makeClinic(vault)
  const token = (await front.sessionOf(other.clinician)).token
  const headerOf = async () => {
    return (await ask(token, '/v1/recordings')).headers.get('x-auricle-receipt') ?? assert.fail()
  }
  const receipts = [await headerOf(), await headerOf(), await headerOf()] as const
  const { row } = other.auditor
  const { row: session } = await front.sessionOf(other.auditor)
  const bearer = (await vault.catalog.findBearer(row.tenantId, session.id, new Date())) ?? assert.fail()
  const actor = actorOf({ tenantId: row.tenantId, userId: row.id, tokenId: session.id, ...bearer })
  const facts = { actor, purposeOfUse: null, request: 'of-a-test', ip: null, userAgent: null }
  const parts = { ...vault, keys: vault.keyService, logName: 'auricle.test' }
  const verdictOf = async (header: string) => (await checkReceipt(parts, facts, header, {})).verdict
  assert.equal(await verdictOf(receipts[0]), 'waiting')
  await sealLog(vault, row.tenantId)
  for (const header of receipts) assert.equal(await verdictOf(header), 'kept')

  const idOf = (header: string) => Buffer.from(header, 'base64').toString().split('\n')[2]
  const client = await vault.database.superuserPool.connect()
  try {
    await client.query('alter table auricle.audit_event disable trigger all')
    await client.query(
      `update auricle.audit_event
       set leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'allowed', 'denied'), 'UTF8') where id = $1`,
      [idOf(receipts[1])],
    )
    await client.query('delete from auricle.audit_event where id = $1', [idOf(receipts[2])])
  } finally {
    await client.query('alter table auricle.audit_event enable always trigger append_only')
    await client.query('alter table auricle.audit_event enable always trigger never_removed')
    client.release()
  }
  assert.deepEqual(await Promise.all(receipts.map(verdictOf)), ['kept', 'altered', 'missing'])

  // By whoever, but by no key of this vault.
  const stranger = createEventWriter({ name: 'api', logName: 'auricle.test' })
  const forged: string[] = []
  stranger.onReceipt(({ note }) => forged.push(Buffer.from(note).toString('base64')))
  const record = await operatorEventOf(row.tenantId)
  for (const one of stranger.stamp([record])) one.vouch()
  for (const header of forged) assert.equal(await verdictOf(header), 'unsigned')
  assert.ok(forged.length > 0)
  const cut = Buffer.from(receipts[0], 'base64')
  cut[cut.length - 5] = (cut[cut.length - 5] ?? 0) ^ 1
  assert.equal(await verdictOf(cut.toString('base64')), 'unsigned')
  for (const text of ['', 'no receipt', 'AAAA', Buffer.from('a\n\n— b c\n').toString('base64')]) {
    await assert.rejects(checkReceipt(parts, facts, text, {}), { code: 'malformed' })
  }
})
