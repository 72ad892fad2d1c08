// A process for the tests: wraps and unwraps one data key under the identity of its machine, tells it, and ends.
import { newTenantId } from '@auricle/contract'
import { createGoogleKeyService } from '../google-key-service.ts'

const [, , keyRing = '', port = '', dataKey = ''] = process.argv
{
  await using service = createGoogleKeyService({
    keyRing,
    protection: 'SOFTWARE',
    rotationDays: 90,
    destroyDays: 30,
    endpoint: { host: 'localhost', port: Number(port) },
  })
  const name = { purpose: 'recordings', tenantId: newTenantId() } as const
  const aad = new Uint8Array(1)
  await service.ensure(name)
  const wrap = await service.key(name).wrap(Buffer.from(dataKey, 'hex'), aad)
  await service.key(name).unwrap(wrap, aad)
  console.log(wrap.keyVersion)
}
