import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Storage } from '@google-cloud/storage'
import { refused } from '../gcs/fixture.ts'
import { type GcsEmulator, startGcsEmulator } from '../gcs/server.ts'
import { type MetadataServer, type MetadataServerOptions, startMetadataServer } from './server.ts'

const email = 'doctor@auricle-test.iam.gserviceaccount.com'
const callers = { doctor: { permissions: ['storage.buckets.get'] } }

/** A client that finds its identity as it does on a machine at Google. */
function clientAt(metadata: MetadataServer, gcs: GcsEmulator): Storage {
  process.env['GCE_METADATA_HOST'] = metadata.host
  process.env['METADATA_SERVER_DETECTION'] = 'assume-present'
  return new Storage({ apiEndpoint: gcs.url, useAuthWithCustomEndpoint: true })
}

async function startBoth(options: Partial<MetadataServerOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const metadata = stack.use(await startMetadataServer({ token: 'doctor', email, ...options }))
  const gcs = stack.use(await startGcsEmulator({ callers }))
  gcs.createBucket('calls')
  return { metadata, gcs, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('the client signs in with a token from it, and keeps the token', async () => {
  await using both = await startBoth()
  const storage = clientAt(both.metadata, both.gcs)
  await storage.bucket('calls').getMetadata()
  await storage.bucket('calls').getMetadata()
  assert.equal(both.metadata.fetches, 1)
  assert.equal(await storage.authClient.getProjectId(), 'auricle-test')
  assert.equal((await storage.authClient.getCredentials()).client_email, email)
  assert.equal(await storage.authClient.getUniverseDomain(), 'googleapis.com')
})

test('a token that is about to expire is fetched anew each time, so an expired one heals at the next call', async () => {
  await using both = await startBoth({ rotates: true, expiresInSeconds: 60 })
  const bucket = clientAt(both.metadata, both.gcs).bucket('calls')
  await bucket.getMetadata()
  both.gcs.faults.add({ operation: 'buckets.get', fault: { type: 'expired-token' }, times: 1 })
  assert.equal((await refused(bucket.getMetadata())).code, 401)
  await bucket.getMetadata()
  assert.equal(both.metadata.fetches, 3)
})

test('a token that is said to be good for long is used on after a 401: who sees one has to ask for another', async () => {
  await using both = await startBoth({ rotates: true })
  const storage = clientAt(both.metadata, both.gcs)
  both.gcs.faults.add({ operation: 'buckets.get', fault: { type: 'expired-token' }, times: 1 })
  for (const _ of [1, 2]) assert.equal((await refused(storage.bucket('calls').getMetadata())).code, 401)
  assert.equal(both.metadata.fetches, 1)
})

test('it answers those who say that they mean it, and no others', async () => {
  await using metadata = await startMetadataServer({ token: 'doctor', email })
  const get = (path: string, headers: Record<string, string> = { 'metadata-flavor': 'Google' }) =>
    fetch(`http://${metadata.host}/computeMetadata/v1/${path}`, { headers })
  const token = await get('instance/service-accounts/default/token?scopes=a,b')
  assert.equal(token.headers.get('metadata-flavor'), 'Google')
  assert.deepEqual(await token.json(), { access_token: 'doctor', expires_in: 3600, token_type: 'Bearer' })
  assert.equal((await get('instance/service-accounts/default/token', {})).status, 403)
  const proxied = { 'metadata-flavor': 'Google', 'x-forwarded-for': '10.0.0.1' }
  assert.equal((await get('instance/service-accounts/default/token', proxied)).status, 403)
  assert.equal(await (await get('universe/universe-domain')).text(), 'googleapis.com')
  assert.equal(await (await get(`instance/service-accounts/${email}/email`)).text(), email)
  assert.equal((await get('instance/service-accounts/default/')).status, 200)
  assert.equal((await get('instance/')).status, 200)
  assert.equal((await get('instance/attributes/cluster-name')).status, 404)
  assert.equal((await get('instance/toString')).status, 404)
})
