// Gives their random names to the patients of recordings that were archived before patients had any.
import type { Catalog } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { TenantSecretsCache } from './tenant-secrets.ts'

const batchRecordings = 200

export interface NamePatientsParts {
  readonly catalog: Pick<Catalog, 'listTenants' | 'listUnnamedRecordings' | 'nameRecordings'>
  readonly secrets: TenantSecretsCache
}

/**
 * All tenants, in batches that each commit by themselves. `damaged` recordings have a reference that does not open; they
 * are met again by the next run. A tenant that owes nothing costs one query, and no use of its key.
 */
export async function namePatients(
  { catalog, secrets }: NamePatientsParts,
  { signal }: CallOptions,
): Promise<{ readonly named: number; readonly damaged: number }> {
  let [named, damaged] = [0, 0]
  for (const { id: tenantId } of await catalog.listTenants({ signal })) {
    for await (const ids of batches(catalog, tenantId, { signal })) {
      const { columns } = await secrets.get(tenantId, { signal })
      const done = await catalog.nameRecordings(tenantId, ids, columns, { signal })
      named += done.named
      damaged += done.damaged
    }
  }
  return { named, damaged }
}

async function* batches(
  catalog: NamePatientsParts['catalog'],
  tenantId: TenantId,
  options: CallOptions,
): AsyncGenerator<readonly RecordingId[]> {
  let ids: readonly RecordingId[] = []
  do {
    ids = await catalog.listUnnamedRecordings(tenantId, ids.at(-1) ?? null, batchRecordings, options)
    if (ids.length > 0) yield ids
  } while (ids.length === batchRecordings)
}
