// What there should be in the stores of a tenant, page by page, in the order of keys.
import type { Catalog, KeptRow } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'

const pageRows = 500

export async function* keptRows(
  catalog: Pick<Catalog, 'listKept'>,
  tenantId: TenantId,
  options: CallOptions,
): AsyncGenerator<KeptRow> {
  let afterKey = ''
  for (;;) {
    const page = await catalog.listKept(tenantId, { afterKey, limit: pageRows }, options)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageRows) return
    afterKey = last.objectKey
  }
}
