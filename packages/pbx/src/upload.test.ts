import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DeliveryRequest } from './connector.ts'
import { findConnector } from './connectors.ts'
import { PbxError, type PbxErrorCode } from './error.ts'
import { upload } from './upload.ts'

const now = new Date('2026-05-04T10:00:00Z')
const { secrets, shown: token } = upload.newSecrets()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function* chunks(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece)
}

function put(headers: Record<string, string> = {}, changed: Partial<DeliveryRequest> = {}): DeliveryRequest {
  return {
    method: 'PUT',
    name: '1f6e.wav',
    headers: { authorization: `Bearer ${token}`, ...headers },
    query: {},
    body: chunks('RIFF', 'data'),
    ...changed,
  }
}

const open = (from: DeliveryRequest, using = secrets) => upload.open(from, using, { now })

async function noticeOf(from: DeliveryRequest) {
  const delivery = await open(from)
  assert.equal(delivery.type, 'audio')
  return delivery.type === 'audio' ? delivery.notice() : assert.fail()
}

const refusedAs = (code: PbxErrorCode) => (error: unknown) => {
  assert.ok(error instanceof PbxError, String(error))
  assert.equal(error.code, code)
  return true
}

describe('upload: tokens', () => {
  it('takes the token from before a change for as long as it holds, and says which one it was', async () => {
    const { secrets: newer, shown: newToken } = upload.newSecrets()
    let holds = true
    const during = (from: DeliveryRequest) =>
      upload.open(from, newer, { now, previous: { secrets, holds: () => holds } })
    assert.equal((await during(put())).provenBy?.(), 'previous')
    const renewed = () => put({ authorization: `Bearer ${newToken}` })
    assert.equal((await during(renewed())).provenBy?.(), 'current')
    await assert.rejects(during(put({ authorization: 'Bearer other' })), refusedAs('bad_signature'))
    holds = false
    await assert.rejects(during(put()), refusedAs('bad_signature'))
    assert.equal((await during(renewed())).provenBy?.(), 'current')
    // One that is in use and from before alike is in use.
    const same = await upload.open(put(), secrets, { now, previous: { secrets, holds: () => false } })
    assert.equal(same.provenBy?.(), 'current')
  })

  it('takes the token as bearer, or as the password of any user', async () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    for (const authorization of [
      `Bearer ${token}`,
      `bearer ${token}`,
      basic(`freeswitch:${token}`),
      basic(`:${token}`),
    ]) {
      await open(put({ authorization }))
    }
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Token ${token}`,
      token,
      basic(token),
      basic(`${token}:`),
      'Basic !!!',
      `Bearer ${'x'.repeat(3000)}`,
      `Bearer ${secrets.tokenSha256[0]}`,
    ]
    for (const authorization of wrong) {
      await assert.rejects(open(put({ authorization })), refusedAs('bad_signature'), authorization)
    }
    await assert.rejects(open({ ...put(), headers: {} }), refusedAs('bad_signature'))
  })

  it('takes every token that is valid during a rotation, and keeps only their digests', async () => {
    const old = { tokenSha256: [sha256('another'), ...secrets.tokenSha256, sha256('a third')] }
    await open(put(), upload.parseSecrets(old))
    assert.ok(!JSON.stringify(secrets).includes(token))
    assert.deepEqual(upload.parseSecrets(structuredClone(secrets)), secrets)
    for (const value of [{}, { tokenSha256: [] }, { tokenSha256: ['zz'] }, { ...secrets, more: 1 }, null]) {
      assert.throws(() => upload.parseSecrets(value))
    }
    assert.notEqual(upload.newSecrets().shown, token)
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
  })

  it('checks the token before anything else', async () => {
    const strange = put(
      { authorization: 'Bearer no', 'x-auricle-kind': 'fax' },
      { method: 'POST', name: null },
    )
    await assert.rejects(open(strange), refusedAs('bad_signature'))
  })
})

describe('upload: metadata', () => {
  it('is the name alone, if no more is said', async () => {
    assert.deepEqual(await noticeOf(put()), {
      sourceId: '1f6e.wav',
      kind: 'recording',
      mailbox: null,
      direction: null,
      from: null,
      fromName: null,
      to: null,
      patientReference: null,
      note: null,
      startedAt: null,
      contentType: null,
      fileName: '1f6e.wav',
      declaredBytes: null,
      declaredSha256: null,
      audioUrl: null,
    })
  })

  it('comes in headers, in UTF-8, escaped or not', async () => {
    const notice = await noticeOf(
      put({
        'content-type': 'audio/x-wav',
        'content-length': '8',
        'x-auricle-source-id': 'call-7',
        'x-auricle-kind': 'voicemail',
        'x-auricle-mailbox': '2001',
        'x-auricle-direction': 'inbound',
        'x-auricle-from': '+1 555 0100',
        'x-auricle-from-name': 'Zo%C3%AB 100%25',
        'x-auricle-to': '2001@pbx',
        'x-auricle-patient-reference': Buffer.from('Ä-7').toString('latin1'),
        'x-auricle-started-at': '2026-05-04T11:30:00+02:00',
        'x-auricle-sha256': 'AB'.repeat(32),
      }),
    )
    assert.deepEqual(notice, {
      sourceId: 'call-7',
      kind: 'voicemail',
      mailbox: '2001',
      direction: 'inbound',
      from: '+1 555 0100',
      fromName: 'Zoë 100%',
      to: '2001@pbx',
      patientReference: 'Ä-7',
      note: null,
      startedAt: '2026-05-04T09:30:00.000Z',
      contentType: 'audio/x-wav',
      fileName: '1f6e.wav',
      declaredBytes: 8,
      declaredSha256: 'ab'.repeat(32),
      audioUrl: null,
    })
  })

  it('takes seconds since 1970, which dial plans have at hand', async () => {
    assert.equal(
      (await noticeOf(put({ 'x-auricle-started-at': '1777888800' }))).startedAt,
      '2026-05-04T10:00:00.000Z',
    )
  })

  it('takes mailbox and kind from the query, and nothing that could name a person', async () => {
    const query = { mailbox: '2001', kind: 'voicemail', from: '+15550100', 'from-name': 'x', to: 'y' }
    const notice = await noticeOf(put({}, { query }))
    assert.equal(notice.mailbox, '2001')
    assert.equal(notice.kind, 'voicemail')
    assert.equal(notice.from ?? notice.fromName ?? notice.to, null)
    assert.equal((await noticeOf(put({ 'x-auricle-mailbox': '7' }, { query }))).mailbox, '7')
  })

  it('takes a digest from Repr-Digest', async () => {
    const digest = createHash('sha256').update('RIFFdata').digest()
    const field = `sha-256=:${digest.toString('base64')}:`
    const declared = async (value: string) => (await noticeOf(put({ 'repr-digest': value }))).declaredSha256
    assert.equal(await declared(field), digest.toString('hex'))
    assert.equal(await declared(`sha-512=:AAAA:, ${field}`), digest.toString('hex'))
    assert.equal(await declared('sha-512=:AAAA:'), null)
    await assert.rejects(declared('sha-256=abc'), refusedAs('malformed'))
    const both = put({ 'repr-digest': field, 'x-auricle-sha256': '0'.repeat(64) })
    await assert.rejects(open(both), refusedAs('malformed'))
  })

  it('refuses what it cannot take as it stands', async () => {
    const cases: [PbxErrorCode, Record<string, string>, Partial<DeliveryRequest>][] = [
      ['malformed', {}, { method: 'POST' }],
      ['malformed', {}, { name: null }],
      ['malformed', {}, { name: 'a\nb' }],
      ['malformed', {}, { name: 'x'.repeat(513) }],
      ['malformed', { 'x-auricle-kind': 'fax' }, {}],
      ['malformed', {}, { query: { kind: 'fax' } }],
      ['malformed', { 'x-auricle-direction': 'up' }, {}],
      ['malformed', { 'x-auricle-from-name': '100%' }, {}],
      ['malformed', { 'x-auricle-from-name': '%FF' }, {}],
      ['malformed', { 'x-auricle-from-name': '%0a' }, {}],
      ['malformed', { 'x-auricle-from-name': 'caf\xe9' }, {}],
      ['malformed', { 'x-auricle-from': 'x'.repeat(257) }, {}],
      ['malformed', { 'x-auricle-started-at': 'soon' }, {}],
      ['malformed', { 'x-auricle-sha256': 'abc' }, {}],
      ['malformed', { 'content-length': '1e3' }, {}],
      ['malformed', { 'content-encoding': 'gzip' }, {}],
      ['empty_body', { 'content-length': '0' }, {}],
    ]
    for (const [code, headers, changed] of cases) {
      await assert.rejects(open(put(headers, changed)), refusedAs(code), JSON.stringify([headers, changed]))
    }
  })

  it('keeps of a client file name only its last segment', async () => {
    const name = '../../etc/passwd.wav'
    const notice = await noticeOf(put({}, { name }))
    assert.equal(notice.fileName, 'passwd.wav')
    assert.equal(notice.sourceId, name)
  })

  it('never throws anything but its own refusals at arbitrary headers', async () => {
    const header = fc.constantFrom(
      'from',
      'from-name',
      'to',
      'mailbox',
      'source-id',
      'started-at',
      'kind',
      'sha256',
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(header, fc.string({ unit: 'binary' })), async fields => {
        const headers = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [`x-auricle-${name}`, value]),
        )
        await open(put(headers)).catch(error => refusedAs('malformed')(error))
      }),
    )
  })
})

describe('upload: audio', () => {
  it('passes the body through, knows its id before, and refuses an empty one at its end', async () => {
    const delivery = await open(put())
    assert.equal(delivery.type, 'audio')
    if (delivery.type !== 'audio') return
    assert.equal(delivery.sourceId, '1f6e.wav')
    const pieces: Uint8Array[] = []
    for await (const piece of delivery.audio) pieces.push(piece)
    assert.equal(String(Buffer.concat(pieces)), 'RIFFdata')

    for (const body of [chunks(), chunks('')]) {
      const empty = await open(put({}, { body }))
      await assert.rejects(async () => {
        if (empty.type === 'audio') for await (const _ of empty.audio);
      }, refusedAs('empty_body'))
    }
  })
})

describe('findConnector', () => {
  it('knows its kinds and no others', () => {
    assert.equal(findConnector('upload')?.kind, 'upload')
    assert.equal(findConnector('standard')?.kind, 'standard')
    for (const kind of ['', 'Upload', 'constructor', '__proto__', 'toString'])
      assert.equal(findConnector(kind), null)
  })
})
