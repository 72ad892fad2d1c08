import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Storage } from '@google-cloud/storage'

interface Addresses {
  readonly control: string
  readonly gcs: readonly [string]
  readonly metadata: readonly [string, string]
}

async function start(...args: readonly string[]): Promise<{ child: ChildProcess; addresses: Addresses }> {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, addresses: JSON.parse(String(line)) as Addresses }
}

test('the servers that are named start, say where, let themselves be steered, and end when told to', async () => {
  const gcs = { buckets: { calls: { objectRetention: true } }, seed: 3 }
  const { child, addresses } = await start(
    `gcs=${JSON.stringify(gcs)}`,
    'metadata={"token":"a","email":"a@x"}',
    'metadata={"token":"b","email":"b@x"}',
  )
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${addresses.control}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, value: (await answer.json()) as unknown }
  }
  try {
    assert.equal(addresses.metadata.length, 2)
    const storage = new Storage({
      apiEndpoint: addresses.gcs[0],
      projectId: 'p',
      retryOptions: { autoRetry: false },
    })
    const file = storage.bucket('calls').file('a')
    await file.save('123456789', { resumable: false })

    const { value: objects } = await ask('POST', 'gcs/objects', { bucket: 'calls' })
    assert.deepEqual(
      (objects as { name: string; crc32c: string }[]).map(({ name, crc32c }) => [name, crc32c]),
      [['a', '4waSgw==']],
    )
    const rule = {
      operation: '/^objects\\.get$/',
      fault: { type: 'status', status: 503 },
      times: 1,
      resource: 'a$',
    }
    assert.equal((await ask('POST', 'gcs/faults', rule)).status, 200)
    await assert.rejects(file.getMetadata(), { code: 503 })
    await file.getMetadata()
    assert.deepEqual((await ask('GET', 'gcs')).value, {
      requests: { 'objects.insert.multipart': 1, 'objects.get': 2 },
      injected: { status: 1 },
      injectedByOperation: { 'objects.get': { status: 1 } },
      uses: {
        'anonymous caller': {
          'storage.objects.create': { granted: 1, refused: 0 },
          'storage.objects.get': { granted: 1, refused: 0 },
        },
      },
    })
    await ask('POST', 'gcs/faults', { ...rule, times: 100 })
    await ask('DELETE', 'gcs/faults')
    await file.getMetadata()
    await ask('POST', 'gcs/create-bucket', { name: 'later', settings: { location: 'EU' } })
    assert.deepEqual((await ask('POST', 'gcs/buckets', {})).value, ['calls', 'later'])
    await ask('POST', 'gcs/advance', { ms: 86_400_000 })

    assert.equal((await ask('POST', 'gcs/faults', { operation: 'any' })).status, 400)
    assert.equal((await ask('POST', 'gcs/objects', { bucket: 'none' })).status, 400)
    assert.equal((await ask('POST', 'gcs/none', {})).status, 404)
    assert.equal((await ask('GET', 'none')).status, 404)
  } finally {
    child.kill('SIGTERM')
  }
  assert.deepEqual(await once(child, 'close'), [0, null])
})
