// Holds receipts to what they promise: the key that the log names, the hash that the log has, once for each event.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { decodeLeaf, leafHash, newRecord, parseReceipt, parseVerifierKey, verifyNote } from '@auricle/audit'
import { newTenantId } from '@auricle/contract'
import { createLocalKeyService } from '@auricle/keys'
import { createFolderStore } from '@auricle/objects'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { createEventWriter, type GivenReceipt } from './event-writer.ts'
import { endorseReceiptKey, endorserKey, listReceiptKeys } from './receipt-key.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auricle-receipts-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('a receipt is of the leaf as it is stored, signed by the key that the log names, and given once', async () => {
  const writer = createEventWriter({ name: 'api', logName: 'log.example' })
  const given: GivenReceipt[] = []
  const listening = writer.onReceipt(receipt => {
    given.push(receipt)
  })
  const record = anEvent(newTenantId())
  const stamped = writer.stamp([
    newRecord({ ...record.event, request: 'request-of-a-test' }, record.sealedPrivate),
  ])
  assert.equal(given.length, 0)
  for (const one of stamped) {
    one.vouch()
    one.acknowledge()
    one.vouch()
  }
  assert.equal(given.length, 2)
  assert.deepEqual(
    given.map(({ request }) => request),
    [null, 'request-of-a-test'],
  )
  const [started, own] = stamped
  const detail = decodeLeaf(started?.leaf ?? assert.fail()).detail
  assert.ok(detail?.kind === 'started' && detail.receiptKey !== null)
  assert.equal(detail.receiptKey, writer.receiptKey)
  const key = parseVerifierKey(detail.receiptKey)
  assert.equal(key.name, `log.example/receipts/${writer.id}`)
  const { note, by } = await verifyNote(given[1]?.note ?? '', [key])
  assert.equal(by.length, 1)
  const receipt = parseReceipt(note.text)
  assert.deepEqual(receipt.leafHash, leafHash(own?.leaf ?? assert.fail()))
  assert.deepEqual([receipt.tenantId, receipt.eventId], [record.tenantId, record.id])
  const other = createEventWriter({ name: 'api', logName: 'log.example' })
  await assert.rejects(verifyNote(given[1]?.note ?? '', [parseVerifierKey(other.receiptKey ?? '')]), {
    code: 'unsigned',
  })
  listening[Symbol.dispose]()
  for (const one of writer.stamp([anEvent(record.tenantId)])) one.acknowledge()
  assert.equal(given.length, 2)
})

test('without a name it gives none, and its beginning says so', () => {
  const writer = createEventWriter({ name: 'api' })
  writer.onReceipt(() => assert.fail('a receipt'))
  assert.equal(writer.receiptKey, null)
  const [started] = writer.stamp([anEvent(newTenantId())])
  started?.acknowledge()
  const { detail } = decodeLeaf(started?.leaf ?? assert.fail())
  assert.deepEqual(detail, { kind: 'started', receiptKey: null })
})

test('the key service signs for keys of receipts, and all that it signed for are found again', async () => {
  const keys = await createLocalKeyService({ file: join(folder, 'keyring.json') })
  const store = createFolderStore({ folder: join(folder, 'log-store') })
  const logName = 'log.example'
  const writers = [1, 2].map(() => createEventWriter({ name: 'api', logName }))
  const notes: string[] = []
  for (const { id, receiptKey } of writers) {
    const writer = { id, verifierKey: receiptKey ?? assert.fail() }
    notes.push(await endorseReceiptKey({ keys, store, logName }, writer, {}))
  }
  const strange = async function* () {
    yield Buffer.from('no note')
  }
  await store.put('receipt-keys/what', strange(), { retainUntil: null })
  await store.put(`receipt-keys/${createEventWriter({ name: 'x' }).id}`, strange(), { retainUntil: null })
  const found = new Set<string>()
  for await (const note of listReceiptKeys(store, {})) found.add(note)
  assert.deepEqual(found, new Set(notes))
  const endorser = endorserKey(logName, await keys.signer({ purpose: 'receipts' }).publicKey())
  assert.equal(endorser.name, 'log.example/receipts')
  for (const [index, note] of notes.entries()) {
    const { text } = (await verifyNote(note, [endorser])).note
    const [version, key, at, end] = text.split('\n')
    assert.deepEqual([version, key, end], ['auricle-receipt-key/1', writers[index]?.receiptKey, ''])
    assert.ok(Math.abs(Date.parse(at ?? '') - Date.now()) < 60 * 60_000)
  }
})
