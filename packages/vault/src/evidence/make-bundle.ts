// Makes a bundle of evidence, line by line (docs/evidence.md): every leaf of the range, the tree's way to the anchor, and
// the private parts of the events asked for where they are to be shown.
//
// Nothing is judged here. A leaf that is gone leaves its number out, an altered one is shown as it is: the verifier says so.
import { decodeLeaf, type HashReader, inclusionProof, type Tile, tileReader, toBase64 } from '@auricle/audit'
import type { Catalog, SealedLeaf } from '@auricle/catalog'
import type { EvidenceSelection, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { openPrivate } from '../audit-record.ts'
import { VaultError } from '../error.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { findRanges, type LogRange } from './range.ts'
import { isSelected, spellSelection } from './selection.ts'

export interface BundleParts {
  readonly catalog: Pick<
    Catalog,
    | 'listLogs'
    | 'findAnchored'
    | 'findFirstAfter'
    | 'findAnchorCheckpoint'
    | 'readLeaves'
    | 'readTile'
    | 'readAnchorTile'
  >
  readonly secrets: Pick<TenantSecrets, 'privateParts'>
  /** As a tlog-policy: what the one who exports takes the log by. For information; a verifier brings its own. */
  readonly policy: string
}

export interface BundleWish {
  readonly tenantId: TenantId
  readonly selection: EvidenceSelection
  /** Whether to show the private parts of the events asked for. */
  readonly showsPrivate: boolean
  readonly madeAt: Date
  /** Told of how many leaves of how many were written. */
  readonly onProgress?: (leaves: number, of: number) => void
}

const pageMost = 1000

/** Lines, each with its line feed. Throws `conflict` where nothing of the tenant's log is anchored yet. */
export async function* makeBundle(
  parts: BundleParts,
  { tenantId, selection: asked, showsPrivate, madeAt, onProgress }: BundleWish,
  options: CallOptions,
): AsyncGenerator<string> {
  const { catalog } = parts
  const selection = spellSelection(asked)
  const anchor = await catalog.findAnchorCheckpoint('newest', options)
  const ranges = anchor === null ? [] : await findRanges(parts, tenantId, selection, anchor.size, options)
  if (anchor === null || ranges.length === 0)
    throw new VaultError('conflict', 'Nothing of this log has been published yet. Try again in a minute.')
  const total = ranges.reduce((sum, { first, end }) => sum + end.size - first, 0)
  let lines = 0
  let leaves = 0
  const line = (value: object): string => {
    lines += 1
    return `${JSON.stringify(value)}\n`
  }
  yield line({
    type: 'header',
    format: 'auricle-evidence/1',
    tenant: tenantId,
    madeAt: madeAt.toISOString(),
    selection,
  })
  yield line({ type: 'policy', text: parts.policy })
  for (const range of ranges) {
    const { log, first, end } = range
    const prefix = await frontierAt(logReader(parts, range, options), first)
    yield line({ type: 'log', origin: log.origin, year: log.year, first, prefix })
    for (let from = first; from < end.size; from += pageMost) {
      const to = Math.min(from + pageMost, end.size)
      for (const leaf of await catalog.readLeaves(log, { from, to }, options)) {
        if (leaf.leaf === null) continue
        const shown = showsPrivate ? privateOf(parts, leaf, selection) : null
        yield line({
          type: 'leaf',
          seq: leaf.seq,
          leaf: toBase64(leaf.leaf),
          ...(shown === null ? {} : { private: toBase64(shown) }),
        })
      }
      leaves += to - from
      onProgress?.(leaves, total)
    }
    yield line({ type: 'checkpoint', note: end.note })
  }
  const readAnchor = tileReader(tile => catalog.readAnchorTile(tile, options).then(bytesOf), anchor.size)
  for (const { log, end } of ranges) {
    yield line({
      type: 'anchored',
      origin: log.origin,
      size: end.size,
      index: end.index,
      leaf: toBase64(end.leaf),
      proof: (await inclusionProof(end.index, anchor.size, readAnchor)).map(toBase64),
      anchorSize: anchor.size,
    })
  }
  yield line({ type: 'anchorCheckpoint', note: anchor.note })
  yield line({ type: 'end', lines })
}

function logReader({ catalog }: BundleParts, { log, end }: LogRange, options: CallOptions): HashReader {
  return tileReader((tile: Tile) => catalog.readTile(log, tile, options).then(bytesOf), end.size)
}

/** The roots of the perfect subtrees that the leaves before `size` make, largest first. */
async function frontierAt(read: HashReader, size: number): Promise<readonly string[]> {
  const hashes: string[] = []
  let start = 0
  for (let height = 52; height >= 0; height--) {
    const count = 2 ** height
    if (size - start < count) continue
    hashes.push(toBase64(await read(height, start / count)))
    start += count
  }
  return hashes
}

function privateOf(
  { secrets }: BundleParts,
  { id, leaf, sealedPrivate }: SealedLeaf,
  selection: EvidenceSelection,
): Uint8Array | null {
  if (leaf === null || sealedPrivate === null) return null
  try {
    if (!isSelected(selection, decodeLeaf(leaf))) return null
    return openPrivate(secrets.privateParts, id, sealedPrivate)
  } catch {
    // Altered: the leaf is shown all the same, and what does not open can not be.
    return null
  }
}

const bytesOf = (bytes: Uint8Array) => new Uint8Array(bytes)
