// Destroys the versions that rotations of live runs have left behind: all of the test tenants' but the ones in use.
import { KeyManagementServiceClient, protos } from '@google-cloud/kms'
import type { LiveKeyRing } from './plan.ts'
import { liveTenants } from './tenants.ts'

const { CryptoKeyVersionState } = protos.google.cloud.kms.v1.CryptoKeyVersion
type Version = protos.google.cloud.kms.v1.ICryptoKeyVersion

/** How many were scheduled for destruction. Keys themselves cannot be removed. */
export async function cleanKeys({ keyRing, endpoint }: LiveKeyRing): Promise<number> {
  const client = new KeyManagementServiceClient(
    endpoint === null ? {} : { apiEndpoint: endpoint.host, port: endpoint.port },
  )
  try {
    let destroyed = 0
    const [keys] = await client.listCryptoKeys({ parent: keyRing })
    for (const { name, primary } of keys) {
      if (name == null || !isOfLiveTenant(name)) continue
      const [versions] = await client.listCryptoKeyVersions({ parent: name })
      const enabled = versions.filter(isEnabled).toSorted((one, other) => numberOf(other) - numberOf(one))
      const inUse = primary?.name ?? enabled[0]?.name
      for (const version of enabled) {
        // A newer one may be on its way to become the primary.
        if (version.name === inUse || numberOf(version) > numberOf({ name: inUse ?? null })) continue
        await client.destroyCryptoKeyVersion({ name: version.name ?? '' })
        destroyed++
      }
    }
    return destroyed
  } finally {
    await client.close()
  }
}

const isOfLiveTenant = (name: string): boolean =>
  liveTenants.some(tenantId => name.split('/').at(-1)?.startsWith(`tenants-${tenantId}-`))
const isEnabled = ({ state }: Version): boolean =>
  state === 'ENABLED' || state === CryptoKeyVersionState.ENABLED
const numberOf = ({ name }: Version): number => Number(name?.split('/').at(-1) ?? 0)
