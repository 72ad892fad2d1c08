// A process for the tests: makes and rotates keys in a keyring and tells each tenant whose key is durable, until killed.
import { newTenantId, TenantId } from '@auricle/contract'
import { createLocalKeyService } from '../local-key-service.ts'

const [, , file = '', sharedTenant = ''] = process.argv
const service = await createLocalKeyService({ file, lockTimeoutMs: 20_000 })
const shared = { purpose: 'recordings', tenantId: TenantId.parse(sharedTenant) } as const
for (;;) {
  const tenantId = newTenantId()
  await service.ensure({ purpose: 'recordings', tenantId })
  process.send?.(tenantId)
  await service.ensure(shared)
  await service.rotate(shared)
}
