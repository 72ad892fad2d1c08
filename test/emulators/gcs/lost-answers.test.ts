import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGcsEmulator } from './server.ts'

const nothing = '/storage/v1/b/calls/o/nothing'

test('a refusal gets lost on its way like any other answer', async () => {
  await using gcs = await startGcsEmulator()
  gcs.createBucket('calls')
  gcs.faults.add({ operation: 'objects.get', fault: { type: 'lost-acknowledgement' }, times: 1 })
  gcs.faults.add({ operation: 'objects.get', fault: { type: 'cut', afterBytes: 1 }, times: 1 })
  for (let lost = 0; lost < 2; lost++) await assert.rejects(fetch(`${gcs.url}${nothing}`))
  const response = await fetch(`${gcs.url}${nothing}`)
  await response.arrayBuffer()
  assert.equal(response.status, 404)
})

test('for a caller who went away while it was slow nothing is done', async () => {
  await using gcs = await startGcsEmulator()
  gcs.createBucket('calls')
  await fetch(`${gcs.url}/upload/storage/v1/b/calls/o?uploadType=media&name=one`, {
    method: 'POST',
    body: 'x',
  })
  gcs.faults.add({ operation: 'objects.delete', fault: { type: 'slow', ms: 100 } })
  const signal = AbortSignal.timeout(20)
  await assert.rejects(fetch(`${gcs.url}/storage/v1/b/calls/o/one`, { method: 'DELETE', signal }))
  await sleep(200)
  assert.notEqual(gcs.state.object('calls', 'one'), null)
})

test('pages are as short as the service makes them, whatever is asked for', async () => {
  await using gcs = await startGcsEmulator({ pageObjectsMost: 1 })
  gcs.createBucket('calls')
  for (const name of ['a', 'b']) {
    const url = `${gcs.url}/upload/storage/v1/b/calls/o?uploadType=media&name=${name}`
    await fetch(url, { method: 'POST', body: 'x' })
  }
  const response = await fetch(`${gcs.url}/storage/v1/b/calls/o?maxResults=1000`)
  const page = (await response.json()) as { items: unknown[]; nextPageToken?: string }
  assert.equal(page.items.length, 1)
  assert.equal(typeof page.nextPageToken, 'string')
})
