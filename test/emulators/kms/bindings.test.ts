// Wraps and unwraps are told apart by key and by what they are bound to, through the door that a harness uses.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { controlKms } from './control.ts'
import { startKeysOnEmulator } from './keys-on-emulator.ts'

test('each wrap and unwrap is noted with its key and its additional data', async () => {
  await using keys = await startKeysOnEmulator()
  const service = keys.open()
  const name = { purpose: 'identity' } as const
  await service.ensure(name)
  const key = service.key(name)
  const [dataKey, mine, others] = [randomBytes(32), randomBytes(64), Buffer.from('of another')]
  const wrap = await key.wrap(dataKey, mine)
  await key.wrap(dataKey, others)
  await key.unwrap(wrap, mine)
  await key.unwrap(wrap, mine)
  await assert.rejects(key.unwrap(wrap, others))

  const told = () => controlKms(keys.emulator).commands['bindings']?.({})
  const bound = (method: string, additionalData: Uint8Array, calls: number) => ({
    method,
    key: wrap.key,
    additionalData: Buffer.from(additionalData).toString('base64'),
    calls,
  })
  assert.deepEqual(told(), [
    bound('Encrypt', mine, 1),
    bound('Encrypt', others, 1),
    bound('Decrypt', mine, 2),
    bound('Decrypt', others, 1),
  ])
  keys.emulator.resetCalls()
  assert.deepEqual(told(), [])
})
