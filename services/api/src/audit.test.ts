// The log from the outside: searched, shown, proved and followed by who may, each reading in the log itself.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type AuditEvent,
  formatVerifierKey,
  fromBase64,
  leafHash,
  parseVerifierKey,
  receiptKeyName,
  verifierKey,
  verifyConsistency,
  verifyInclusion,
  verifyNote,
} from '@auricle/audit'
import { newEventId, newWriterId, type RecordingId } from '@auricle/contract'
import { endorseReceiptKey, endorserKey } from '@auricle/vault'
import fc from 'fast-check'
import type { z } from 'zod'
import { archiveAudio } from '../../../test/archived.ts'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents, privatePartOf } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { sealLog } from '../../../test/sealed-log.ts'
import {
  type Clinic,
  makeClinic,
  makePerson,
  openTestVault,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

const reference = 'MRN-zebra-77'

let vault: TestVault
let front: Front
let clinic: Clinic
let recording: RecordingId
let officer: string

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, shortWav(1), { sourceId: 'one', patientReference: reference })
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const seal = () => sealLog(vault, clinic.tenant.id)
const sql = (text: string, values: unknown[] = []) => vault.database.superuserPool.query(text, values)
const get = (path: string, token: string | null = officer) => ask(front.url, token, ['GET', path])
const queryOf = (query: Readonly<Record<string, string>>) => new URLSearchParams(query).toString()

async function read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.infer<Schema>> {
  const { status, body } = await get(path)
  assert.equal(status, 200, JSON.stringify(body))
  return schema.parse(body)
}
const search = (query: Readonly<Record<string, string>>) =>
  read(schemas.LogPage, `/v1/audit/events?${queryOf(query)}`)
const actionsIn = (page: z.infer<typeof schemas.LogPage>) => page.events.map(({ event }) => event?.action)

const newest = async (action: AuditEvent['action']): Promise<AuditEvent> => {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.findLast(event => event.action === action) ?? assert.fail(`no ${action} is in the log`)
}

/** The clinician shows the recording, a stranger is refused, and all of it is sealed. */
async function lookAtIt(): Promise<void> {
  const clinician = (await front.sessionOf(clinic.clinician)).token
  const stranger = (await front.sessionOf(clinic.stranger)).token
  assert.equal((await get(`/v1/recordings/${recording}`, clinician)).status, 200)
  assert.equal(problemOf(await get(`/v1/recordings/${recording}`, stranger)), 'denied')
  await seal()
}

describe('a search', () => {
  test('finds by actor, recording, patient, action, outcome and time, and says of whom', async () => {
    const beforeAll = new Date().toISOString()
    await lookAtIt()
    const { row: clinician } = clinic.clinician
    const shown = { action: 'recording.shown', recording }
    const page = await search(shown)
    assert.equal(page.events.length, 2)
    assert.deepEqual(new Set(page.people.map(({ login }) => login)), new Set(['clinician', 'stranger']))
    assert.equal((await search({ ...shown, actor: clinician.id })).events.length, 1)
    const [refused, ...others] = (await search({ ...shown, outcome: 'denied' })).events
    assert.equal(refused?.event?.actor.id, clinic.stranger.row.id)
    assert.deepEqual(others, [])
    assert.deepEqual((await search({ ...shown, to: beforeAll })).events, [])
    assert.equal((await search({ ...shown, from: beforeAll })).events.length, 2)

    const byReference = await search({ patient: `  ${reference} ` })
    assert.ok(actionsIn(byReference).includes('recording.shown'))
    const [patient] = byReference.events[0]?.event?.patients ?? []
    const byName = await search({ patient: patient ?? assert.fail() })
    assert.deepEqual(byName.events, byReference.events)
    assert.deepEqual((await search({ patient: 'MRN-nobody' })).events, [])
  })

  test('is in the log, with what was asked for in its private part alone', async () => {
    await lookAtIt()
    const { events } = await search({ patient: reference, limit: '1' })
    const searched = await newest('log.searched')
    assert.deepEqual(searched.detail, { kind: 'found', count: events.length })
    assert.deepEqual(searched.patients, events[0]?.event?.patients)
    assert.equal(searched.actor.id, clinic.complianceOfficer.row.id)
    assert.doesNotMatch(JSON.stringify(searched), /zebra/)
    const part = await privatePartOf(vault, clinic.tenant.id, searched.id)
    assert.deepEqual(JSON.parse(part?.query ?? ''), { patient: reference, limit: 1 })
  })

  test('gives all its pages as of the same signed root, whatever is sealed meanwhile', async () => {
    await lookAtIt()
    const all = await search({ limit: '200' })
    const first = await search({ limit: '5' })
    await lookAtIt()
    const seen = [...first.events]
    let cursor = first.nextCursor
    while (cursor !== null) {
      const page = await search({ limit: '5', cursor })
      assert.deepEqual(page.asOf, first.asOf)
      seen.push(...page.events)
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, all.events)
    assert.equal(seen.length, first.asOf?.size)
    assert.ok(((await search({ limit: '5' })).asOf?.size ?? 0) > (first.asOf?.size ?? 0))
  })

  test('before anything is sealed finds nothing, and says as of nothing', async () => {
    assert.deepEqual(await search({}), { events: [], people: [], asOf: null, nextCursor: null })
  })

  test('of another tenant finds none of this one', async () => {
    await lookAtIt()
    const { events } = await search({ patient: reference })
    const [patient] = events[0]?.event?.patients ?? []
    const page = await search({ limit: '5' })
    const other = await makeClinic(vault)
    await sealLog(vault, other.tenant.id)
    const { token } = await front.sessionOf(other.complianceOfficer)
    const asked = async (query: Readonly<Record<string, string>>) => {
      const { status, body } = await get(`/v1/audit/events?${queryOf(query)}`, token)
      return { status, events: status === 200 ? schemas.LogPage.parse(body).events : null }
    }
    assert.deepEqual(await asked({ patient: patient ?? '' }), { status: 200, events: [] })
    assert.deepEqual(await asked({ patient: reference }), { status: 200, events: [] })
    assert.deepEqual(await asked({ recording }), { status: 200, events: [] })
    // As of a root that is not theirs.
    assert.equal((await asked({ cursor: page.nextCursor ?? '' })).status, 400)
    const event = events[0]?.id ?? ''
    assert.equal(problemOf(await get(`/v1/audit/events/${event}`, token)), 'notFound')
    assert.equal(problemOf(await get(`/v1/audit/proof/inclusion?event=${event}`, token)), 'notFound')
  })

  test('takes nothing but what it knows, and fails on nothing', async () => {
    await lookAtIt()
    const names = ['actor', 'recording', 'patient', 'action', 'outcome', 'from', 'to', 'cursor', 'limit', 'x']
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 40 })),
        async query => {
          const { status } = await get(`/v1/audit/events?${queryOf(query)}`)
          assert.ok(status === 200 || status === 400, `${status} for ${JSON.stringify(query)}`)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('one event', () => {
  test('is shown with its private part, and proves itself under the signed root', async () => {
    await lookAtIt()
    const event = await newest('recording.shown')
    const shown = await read(schemas.ShownEvent, `/v1/audit/events/${event.id}`)
    assert.deepEqual(shown.event, event)
    assert.equal(shown.finding, null)
    const leaf = fromBase64(shown.leaf ?? '') ?? assert.fail()
    const { proof, privatePart } = shown
    assert.ok(proof !== null && privatePart?.state === 'open')
    assert.equal(privatePart.part?.ip, '127.0.0.1')
    const committed = fromBase64(privatePart.committed ?? '') ?? assert.fail()
    assert.equal(`sha256:${createHash('sha256').update(committed).digest('hex')}`, event.private)
    assert.ok(isIncluded(proof, leaf))
    const { detail } = await newest('log.opened')
    const keys = detail?.kind === 'opened' ? detail.keys.map(parseVerifierKey) : []
    const { note } = await verifyNote(proof.checkpoint.note, keys)
    assert.equal(note.text, `${proof.origin}\n${proof.size}\n${proof.root}\n`)
    const reading = await newest('log.shown')
    assert.equal(reading.object?.id, event.id)
    assert.deepEqual(reading.patients, event.patients)
  })

  test('is shown before it is sealed, without a proof, and then with one', async () => {
    const { id } = await newest('session.opened')
    const path = `/v1/audit/events/${id}`
    const early = await read(schemas.ShownEvent, path)
    assert.equal(early.place, null)
    assert.equal(early.proof, null)
    assert.equal(early.event?.id, id)
    assert.equal(problemOf(await get(`/v1/audit/proof/inclusion?event=${id}`)), 'conflict')
    await seal()
    assert.notEqual((await read(schemas.ShownEvent, path)).proof, null)
  })

  test('that is not there is not found, and that somebody asked is in the log', async () => {
    const id = newEventId()
    assert.equal(problemOf(await get(`/v1/audit/events/${id}`)), 'notFound')
    const { outcome, reasons, object } = await newest('log.shown')
    assert.deepEqual([outcome, reasons, object?.id], ['denied', ['not_found'], id])
  })

  test('loses its private part for good, and every proof holds', async () => {
    await lookAtIt()
    const { id } = await newest('recording.shown')
    const path = `/v1/audit/events/${id}/private-part`
    const drop = (token: string) =>
      ask(front.url, token, ['POST', path], { reason: 'by order of a court, zebra' })
    const stale = await front.sessionOf(clinic.complianceOfficer, { verifiedAt: null })
    assert.equal(problemOf(await drop(stale.token)), 'stepUpRequired')
    assert.equal(problemOf(await drop((await front.sessionOf(clinic.auditor)).token)), 'denied')
    assert.equal((await drop(officer)).status, 204)
    assert.equal(problemOf(await drop(officer)), 'conflict')

    const { privatePart, proof, leaf } = await read(schemas.ShownEvent, `/v1/audit/events/${id}`)
    assert.deepEqual(privatePart, { state: 'dropped', part: null, committed: null })
    assert.ok(proof !== null && isIncluded(proof, fromBase64(leaf ?? '') ?? assert.fail()))
    const dropped = await newest('private_part.dropped')
    assert.equal(dropped.object?.id, id)
    const part = await privatePartOf(vault, clinic.tenant.id, dropped.id)
    assert.equal(part?.reason, 'by order of a court, zebra')
    assert.doesNotMatch(JSON.stringify(dropped), /zebra/)
    // Of what never had one there is nothing to drop.
    const { id: bare } = await newest('tenant.created')
    const refused = await ask(front.url, officer, ['POST', `/v1/audit/events/${bare}/private-part`], {
      reason: 'x',
    })
    assert.equal(problemOf(refused), 'conflict')
  })
})

function isIncluded(proof: z.infer<typeof schemas.InclusionProof>, leaf: Uint8Array): boolean {
  return verifyInclusion({
    ...{ index: proof.index, size: proof.size, leafHash: leafHash(leaf) },
    proof: proof.proof.map(hash => fromBase64(hash) ?? assert.fail()),
    root: fromBase64(proof.root) ?? assert.fail(),
  })
}

describe('proofs', () => {
  test('of every event for every signed size that holds it, and of every size towards the newest', async () => {
    const sizes = [await seal()]
    for (let round = 0; round < 3; round++) {
      await lookAtIt()
      sizes.push(await seal())
    }
    const { logs, unsealedSince } = await read(schemas.LogList, '/v1/audit/logs')
    const [log] = logs
    assert.ok(log !== undefined && log.size === sizes.at(-1))
    assert.ok(unsealedSince !== null || log.size > 0)
    const { year, size: newestSize } = log
    for (const size of sizes) {
      const checkpoint = await read(
        schemas.Checkpoint,
        `/v1/audit/checkpoint?${queryOf({ year: `${year}`, size: `${size}` })}`,
      )
      assert.equal(checkpoint.size, size)
      const path = `/v1/audit/proof/consistency?year=${year}&from=${size}&to=${newestSize}`
      const proof = await read(schemas.ConsistencyProof, path)
      assert.equal(proof.fromRoot, checkpoint.root)
      assert.deepEqual(proof.fromCheckpoint, checkpoint)
      assert.ok(isConsistent(proof))
    }
    const { rows } = await sql(
      'select event_id, seq from auricle.audit_seal where tenant_id = $1 order by seq limit 30',
      [clinic.tenant.id],
    )
    for (const { event_id, seq } of rows) {
      for (const size of sizes) {
        const path = `/v1/audit/proof/inclusion?event=${event_id}&size=${size}`
        if (Number(seq) >= size) assert.equal(problemOf(await get(path)), 'conflict')
        else {
          const proof = await read(schemas.InclusionProof, path)
          assert.equal(proof.size, size)
          const { leaf } = await read(schemas.ShownEvent, `/v1/audit/events/${event_id}`)
          assert.ok(isIncluded(proof, fromBase64(leaf ?? '') ?? assert.fail()))
        }
      }
    }
  })

  test('also beyond the first full tile, and of sizes that nobody signed', async () => {
    for (let round = 0; round < 300; round++) await lookOnce()
    const size = await seal()
    assert.ok(size > 300)
    const year = new Date().getUTCFullYear()
    for (const from of [1, 2, 255, 256, 257, size - 1, size]) {
      const proof = await read(
        schemas.ConsistencyProof,
        `/v1/audit/proof/consistency?year=${year}&from=${from}&to=${size}`,
      )
      assert.ok(isConsistent(proof), `from ${from}`)
    }
    const beyond = await get(`/v1/audit/proof/consistency?year=${year}&from=1&to=${size + 1}`)
    assert.equal(problemOf(beyond), 'malformed')
    assert.equal(problemOf(await get(`/v1/audit/checkpoint?size=${size - 1}`)), 'notFound')
    assert.equal(problemOf(await get('/v1/audit/proof/consistency?year=2020&from=1')), 'notFound')
  })

  async function lookOnce(): Promise<void> {
    const { auditRecord } = await import('@auricle/vault')
    const tenantId = clinic.tenant.id
    const actor = { type: 'system', name: 'worker' } as const
    const facts = { tenantId, action: 'vault.verified', outcome: 'allowed', actor, object: null } as const
    await vault.catalog.appendEvents([await auditRecord({ ...facts, request: null }, null)])
  }
})

function isConsistent({ from, to, ...proof }: z.infer<typeof schemas.ConsistencyProof>): boolean {
  const bytes = (text: string) => fromBase64(text) ?? assert.fail()
  return verifyConsistency({
    ...{ from, to, fromRoot: bytes(proof.fromRoot), toRoot: bytes(proof.toRoot) },
    proof: proof.proof.map(bytes),
  })
}

describe('the feed', () => {
  const follow = async (query: Readonly<Record<string, string>>, init: RequestInit = {}) => {
    const response = await fetch(`${front.url}/v1/audit/feed?${queryOf(query)}`, {
      headers: { authorization: `Bearer ${officer}` },
      ...init,
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
    assert.ok(text === '' || text.endsWith('\n'))
    return text
      .split('\n')
      .slice(0, -1)
      .map(line => schemas.SealedEvent.parse(JSON.parse(line)))
  }

  test('gives every event once and in order, over any number of calls, each of them in the log', async () => {
    await lookAtIt()
    const size = await seal()
    const seen = []
    let after: Readonly<Record<string, string>> = {}
    for (;;) {
      const lines = await follow({ ...after, limit: '7' })
      const last = lines.at(-1)
      if (last === undefined) break
      seen.push(...lines)
      after = { after: `${last.year}-${last.seq}` }
    }
    assert.deepEqual(
      seen.map(({ seq }) => seq),
      Array.from({ length: size }, (_, seq) => seq),
    )
    assert.deepEqual(Object.keys(seen[0] ?? {}), ['seq', 'year', 'id', 'event', 'receivedAt'])
    const events = await auditEvents(vault, clinic.tenant.id)
    const followed = events.filter(({ action }) => action === 'log.followed')
    assert.equal(followed.length, Math.ceil(size / 7) + (size % 7 === 0 ? 1 : 1))
  })

  test('waits for what is new, and is not woken by its own reading', async () => {
    await lookAtIt()
    const size = await seal()
    const year = new Date().getUTCFullYear()
    await follow({ after: `${year}-${size - 1}` })
    await seal()
    // That reading is all there is now.
    const waiting = follow({ after: `${year}-${size - 1}`, wait: '30' })
    assert.equal(await Promise.race([waiting, delay(1_200, 'still waiting')]), 'still waiting')
    await lookAtIt()
    const actions = (await waiting).map(({ event }) => event?.action)
    assert.equal(actions[0], 'log.followed')
    assert.ok(actions.includes('recording.shown'))
  })

  test('ends its wait with what is there when the service stops, and when its client goes', async () => {
    await seal()
    const own = await openFront(vault)
    const { token } = await own.sessionOf(clinic.auditor)
    const size = await seal()
    const path = `/v1/audit/feed?wait=30&after=${new Date().getUTCFullYear()}-${size - 1}`
    const gone = new AbortController()
    const headers = { authorization: `Bearer ${token}` }
    const left = fetch(own.url + path, { headers, signal: gone.signal })
    const kept = fetch(own.url + path, { headers })
    await delay(300)
    gone.abort()
    await assert.rejects(left, { name: 'AbortError' })
    own.stop.abort()
    assert.equal((await kept).status, 200)
    await own[Symbol.asyncDispose]()
    assert.equal(own.log.lines.filter(line => /"level":"error"/.test(line)).length, 0)
  })

  test('says so where the log is shorter than what was taken of it', async () => {
    const size = await seal()
    const year = new Date().getUTCFullYear()
    assert.deepEqual(await follow({ after: `${year}-${size - 1}` }), [])
    for (const after of [`${year}-${size + 1_000}`, `${year - 1}-0`]) {
      assert.equal(problemOf(await get(`/v1/audit/feed?after=${after}`)), 'conflict')
      assert.ok((await newest('log.followed')).reasons.includes('beyond_the_log'))
    }
  })

  test('is for those who oversee, and for programs made for it', async () => {
    const clinician = await front.sessionOf(clinic.clinician)
    assert.equal(problemOf(await get('/v1/audit/feed', clinician.token)), 'denied')
    assert.equal((await newest('log.followed')).outcome, 'denied')
    for (const after of ['', '2026', '2026-', '2026-01', '26-1', '2026-1e9', '2026--1']) {
      assert.equal(problemOf(await get(`/v1/audit/feed?after=${after}`)), 'malformed')
    }
  })
})

describe('what was done to the log behind our back', () => {
  const triggers = ['audit_event append_only', 'audit_event never_removed', 'audit_seal append_only']
  const tamper = async (statement: string, values: unknown[]) => {
    const all = (how: string) =>
      triggers
        .map(one => one.split(' '))
        .map(([table, trigger]) => `alter table auricle.${table} ${how} trigger ${trigger}`)
    await sql(all('disable').join(';'))
    await sql(statement, values)
    await sql(all('enable always').join(';'))
  }
  const findingOf = async (id: string) => {
    const { events } = await search({ limit: '200' })
    const { event, finding } = events.find(one => one.id === id) ?? assert.fail()
    return [event === null ? null : event.action, finding]
  }

  test('is shown as a finding wherever the event is read, and logged', async () => {
    await lookAtIt()
    const shown = await newest('recording.shown')
    const opened = await newest('session.opened')
    const listed = await newest('mailbox.created')
    const leaf = Buffer.from(JSON.stringify(shown).replace('denied', 'allowed'))
    await tamper('update auricle.audit_event set leaf = $2 where id = $1', [shown.id, leaf])
    await tamper('delete from auricle.audit_event where id = $1', [opened.id])
    await tamper("update auricle.audit_seal set actor_id = 'usr_nobody' where event_id = $1", [listed.id])

    assert.deepEqual(await findingOf(shown.id), [null, 'altered'])
    assert.deepEqual(await findingOf(opened.id), [null, 'missing'])
    assert.deepEqual(await findingOf(listed.id), ['mailbox.created', 'misfiled'])
    assert.equal((await read(schemas.ShownEvent, `/v1/audit/events/${shown.id}`)).finding, 'altered')
    const gone = await read(schemas.ShownEvent, `/v1/audit/events/${opened.id}`)
    assert.deepEqual([gone.finding, gone.leaf, gone.privatePart], ['missing', null, null])
    const told = front.log.lines.filter(line => line.includes('not as it was sealed'))
    assert.ok(
      told.some(line => line.includes(shown.id) && line.includes('altered')),
      told.join(''),
    )
  })

  test('also of a private part that was put in the place of another', async () => {
    await lookAtIt()
    const one = await newest('recording.shown')
    await search({})
    const two = await newest('log.searched')
    await tamper(
      `update auricle.audit_event set sealed_private =
         (select sealed_private from auricle.audit_event where id = $2) where id = $1`,
      [one.id, two.id],
    )
    const { privatePart, finding } = await read(schemas.ShownEvent, `/v1/audit/events/${one.id}`)
    assert.deepEqual(privatePart, { state: 'altered', part: null, committed: null })
    assert.equal(finding, null)
  })
})

describe('the access report', () => {
  test('says who came to a patient, a recording, or by a user, in pages or whole for a spreadsheet', async () => {
    await makePerson(vault, clinic.tenant, '=HYPERLINK("x")', ['clinician'])
    await lookAtIt()
    const report = await read(schemas.AccessReport, `/v1/reports/access?${queryOf({ patient: reference })}`)
    const actions = report.accesses.map(({ event }) => event?.action)
    assert.deepEqual(new Set(actions), new Set(['recording.shown']))
    assert.equal(report.accesses.length, 2)
    assert.equal(report.asOf?.size, (await search({ limit: '1' })).asOf?.size)
    const made = await newest('report.access')
    assert.deepEqual(made.patients, [report.patient])
    assert.deepEqual(made.detail, { kind: 'found', count: 2 })

    const byUser = await read(schemas.AccessReport, `/v1/reports/access?user=${clinic.clinician.row.id}`)
    assert.deepEqual(
      byUser.people.map(({ login }) => login),
      ['clinician'],
    )
    const ofRecording = await read(schemas.AccessReport, `/v1/reports/access?recording=${recording}&limit=1`)
    assert.equal(ofRecording.accesses.length, 1)
    assert.notEqual(ofRecording.nextCursor, null)

    const response = await fetch(`${front.url}/v1/reports/access?recording=${recording}`, {
      headers: { authorization: `Bearer ${officer}`, accept: 'text/csv' },
    })
    assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename=access-\d{4}-/)
    const [heading, ...lines] = (await response.text()).split('\r\n')
    assert.match(heading ?? '', /^"at","login","name","action","outcome","purpose"/)
    assert.equal(lines.length, 3)
    assert.ok(lines[0]?.includes('"stranger"') && lines[0].includes('"denied"'))
  })

  test('is of somebody or something, and of a patient who is known', async () => {
    assert.equal(problemOf(await get('/v1/reports/access')), 'malformed')
    assert.equal(problemOf(await get('/v1/reports/access?patient=MRN-nobody')), 'notFound')
    assert.deepEqual((await newest('report.access')).reasons, ['not_found'])
    const { token } = await front.sessionOf(clinic.administrator)
    assert.equal(problemOf(await get(`/v1/reports/access?recording=${recording}`, token)), 'denied')
  })

  test('never gives a spreadsheet anything to compute', async () => {
    await sql(`update auricle.app_user set name = '=1+1', login = '@sum' where id = $1`, [
      clinic.clinician.row.id,
    ])
    await lookAtIt()
    const response = await fetch(`${front.url}/v1/reports/access?recording=${recording}&format=csv`, {
      headers: { authorization: `Bearer ${officer}` },
    })
    assert.match(await response.text(), /"'@sum","'=1\+1"/)
  })
})

test('the key of a receipt is shown to everybody who is given one, signed for by the key service', async () => {
  const logName = 'log.test'
  const writer = newWriterId()
  const key = formatVerifierKey(verifierKey(receiptKeyName(logName, writer), 'ed25519', randomBytes(32)))
  const parts = { keys: vault.keyService, store: vault.logStore, logName }
  const { token } = await front.sessionOf(clinic.clinician)
  const path = `/v1/audit/receipt-keys?writer=${writer}`
  assert.equal(problemOf(await get(path, token)), 'notFound')
  await endorseReceiptKey(parts, { id: writer, verifierKey: key }, {})
  await endorseReceiptKey(parts, { id: newWriterId(), verifierKey: key }, {})
  const { status, body } = await get(path, token)
  assert.equal(status, 200)
  const endorser = endorserKey(logName, await vault.keyService.signer({ purpose: 'receipts' }).publicKey())
  const { note } = await verifyNote(schemas.ReceiptKey.parse(body).note, [endorser])
  assert.equal(note.text.split('\n')[1], key)
  assert.equal(problemOf(await get(path, null)), 'unauthenticated')
  assert.equal(problemOf(await get('/v1/audit/receipt-keys?writer=../x', token)), 'malformed')
})
