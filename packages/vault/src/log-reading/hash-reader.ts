// The hashes of a tenant's log as the database has them: full tiles as they lie there, what is not full from what is below.
import { type HashReader, type Tile, tileHash, tileReader, tileWidth } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'

export type TreeCatalog = Pick<Catalog, 'readAuditTiles' | 'readLeafHashes'>

/** Rejects with `damaged` where the database lacks what the log of that size must have. */
export function hashReader(
  catalog: TreeCatalog,
  { tenantId, year, size }: { readonly tenantId: TenantId; readonly year: number; readonly size: number },
  options: CallOptions,
): HashReader {
  const tilesIn = (level: number, first: number, end: number) =>
    catalog.readAuditTiles({ tenantId, year }, { level, first, end }, options)
  return tileReader(async ({ level, index, width }: Tile) => {
    const first = index * tileWidth
    const hashes =
      width === tileWidth
        ? await tilesIn(level, index, index + 1)
        : level === 0
          ? await catalog.readLeafHashes({ tenantId, year }, { first, end: first + width }, options)
          : (await tilesIn(level - 1, first, first + width)).map(tileHash)
    if (hashes.length !== (width === tileWidth ? 1 : width))
      throw new VaultError('damaged', 'The database lacks hashes of its log')
    return new Uint8Array(Buffer.concat(hashes))
  }, size)
}
