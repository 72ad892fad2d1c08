// The folders that rights are narrowed to are the ones that the application stores under.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newIntakeId, newRecordingId, newTenantId } from '../../packages/contract/src/index.ts'
import { intakeKey, recordingKey } from '../../packages/vault/src/object-key.ts'
import { readConfiguration } from './configuration.ts'
import { readRights } from './rights.ts'

const folder = 'terraform/modules/blueprint'
const path = join(dirname(fileURLToPath(import.meta.url)), '..', '..', folder, 'rights.tf')

it('deliveries and recordings lie where the rights of the services reach', async () => {
  const { modules } = await readConfiguration(new Map([[`${folder}/rights.tf`, readFileSync(path, 'utf8')]]))
  const module = modules.get(folder)
  assert.ok(module !== undefined)
  const { rights } = readRights(module)
  assert.ok(rights !== null)
  const tenant = newTenantId()
  const intake = intakeKey(tenant, newIntakeId())
  const recording = recordingKey(tenant, newRecordingId(), 'original')
  const reaches = (service: string, role: string, key: string) =>
    Object.values(rights.object_grants).some(
      grant =>
        grant.service === service &&
        grant.store === 'recordings' &&
        grant.role === role &&
        key.startsWith(grant.within ?? ''),
    )
  assert.ok(reaches('ingest', 'create', intake))
  assert.ok(!reaches('ingest', 'create', recording))
  assert.ok(reaches('worker', 'read', intake))
  assert.ok(reaches('worker', 'remove', intake))
  assert.ok(!reaches('worker', 'remove', recording))
  for (const role of ['create', 'keep', 'read']) assert.ok(reaches('worker', role, recording), role)
  assert.ok(reaches('api', 'read', recording))
  assert.ok(!reaches('api', 'read', intake))
})
