// The log over all logs: takes in what tenants' logs have become, is signed by the KMS, cosigned, and published.
//
// A round, in the order of what depends on what. Wherever it ends, the next one finds what is still to do:
//   1. each tenant's newest checkpoint, with entries and tiles      -> write-once storage
//   2. a leaf for each, and the mark that they are published        -> database, one transaction
//   3. signature over the root, and of the witnesses               (nothing is kept of it until 4)
//   4. the signed checkpoint                                        -> database
//   5. entries, tiles, checkpoint of the log over all logs          -> write-once storage
// The leaves are kept before they are signed: a root that a witness has seen must be the root that is gone on with.
import {
  anchorOrigin,
  consistencyProof,
  createTree,
  decodeFrontier,
  encodeAnchorLeaf,
  encodeFrontier,
  equalBytes,
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  logOrigin,
  noteSignature,
  tileReader,
  type VerifierKey,
  verifierKey,
} from '@auricle/audit'
import type { AnchorLeaf, AnchorRow, Catalog, CheckpointRow, UnpublishedLog } from '@auricle/catalog'
import type { PublicKey, Signer } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { restoreTree } from './growing-tree.ts'
import { orIncomplete, tilesOf } from './log-guard.ts'
import { LogRefusal } from './log-refusal.ts'
import { each, growFrom, publishTree, type TreeSource } from './publish.ts'
import { fastLeafHash } from './seal-facts.ts'
import type { Witnesses } from './witness-client.ts'
import {
  anchorPrefix,
  findLastPublished,
  type LogStore,
  logPrefix,
  type PublishedState,
  putOnce,
} from './write-once.ts'

export interface AnchorParts {
  readonly catalog: Pick<
    Catalog,
    | 'listUnpublished'
    | 'findCheckpoint'
    | 'readTile'
    | 'readLeaves'
    | 'openAnchor'
    | 'findAnchorIndex'
    | 'appendAnchor'
    | 'readAnchorLeaves'
    | 'readAnchorTile'
    | 'findAnchorCheckpoint'
    | 'addAnchorCheckpoint'
    | 'markAnchorPublished'
    | 'listLogKeys'
  >
  readonly store: LogStore
  readonly name: string
  readonly signer: Pick<Signer, 'publicKey' | 'sign'>
  readonly witnesses: Witnesses
  readonly now: () => Date
  /** Does the work of one tenant's log and takes its failure in, so that the others go on. */
  readonly guarded: (log: UnpublishedLog, work: () => Promise<void>) => Promise<void>
  readonly onPublished?: ((log: UnpublishedLog, size: number) => void) | undefined
}

export interface Anchor {
  /**
   * One round. Throws `LogRefusal` where the log over all logs is not what was published of it; then nothing of it is
   * signed.
   */
  round(options: CallOptions): Promise<void>
}

/** So that silence is known to be silence. */
const silenceMs = 10 * 60_000
const logsAtOnce = 4

export function createAnchor(parts: AnchorParts): Anchor {
  const { catalog, store, name, now } = parts
  /** What this process knows to be in write-once storage, by prefix. */
  const published = new Map<string, PublishedState | null>()

  const lastPublished = async (
    prefix: string,
    log: { readonly origin: string; readonly known: CheckpointRow | null },
    options: CallOptions,
  ): Promise<PublishedState | null> => {
    const remembered = published.get(prefix)
    if (remembered !== undefined) return remembered
    const found = await findLastPublished(
      store,
      prefix,
      { origin: log.origin, knownSize: log.known?.size ?? 0 },
      options,
    )
    published.set(prefix, found)
    return found
  }

  async function publishLog(log: UnpublishedLog, options: CallOptions): Promise<CheckpointRow | null> {
    const checkpoint = await catalog.findCheckpoint(log, log.size, options)
    if (checkpoint === null) return null
    const prefix = logPrefix(log.tenantId, log.year)
    const origin = logOrigin(name, log.tenantId, log.year)
    const known = await catalog.findCheckpoint(log, 'published', options)
    const last = await lastPublished(prefix, { origin, known }, options)
    if (last !== null && last.size > checkpoint.size)
      throw new LogRefusal('truncated', 'More of a log was published than the database has')
    if (last?.size !== checkpoint.size) {
      await putKeys(prefix, origin, options)
      await orIncomplete(
        publishTree(
          { store, prefix, source: tenantTree(log, options), published: last, checkpoint, now: now() },
          options,
        ),
      )
      published.set(prefix, { size: checkpoint.size, root: new Uint8Array(checkpoint.root) })
    } else if (!equalBytes(last.root, checkpoint.root)) {
      throw new LogRefusal('forked', 'Another checkpoint of the same size was published')
    }
    return checkpoint
  }

  /** The keys that checkpoints verify with, for whoever comes across the log. Whom to trust is not said by a log. */
  async function putKeys(prefix: string, origin: string, options: CallOptions): Promise<void> {
    const keys = (await catalog.listLogKeys(options)).map(({ publicKey }) =>
      verifierKey(origin, 'ed25519', publicKey),
    )
    await each(keys, key => putKey(prefix, key, options))
  }

  const putKey = (prefix: string, key: VerifierKey, options: CallOptions) =>
    putOnce(store, `${prefix}key/${key.keyId}`, Buffer.from(`${formatVerifierKey(key)}\n`), {
      now: now(),
      ...options,
    })

  const tenantTree = (log: UnpublishedLog, options: CallOptions): TreeSource => ({
    readTile: tilesOf({ catalog }, log, options),
    readLeaves: async range => {
      const leaves = await catalog.readLeaves(log, range, options)
      return leaves.flatMap(({ leaf }) => (leaf === null ? [] : [leaf]))
    },
  })

  const anchorTree = (options: CallOptions): TreeSource => ({
    readTile: async tile => new Uint8Array(await catalog.readAnchorTile(tile, options)),
    readLeaves: range => catalog.readAnchorLeaves(range, options),
  })

  /** Of each log that has something new: published, and not yet a leaf. */
  async function publishLogs(options: CallOptions): Promise<readonly AnchorLeaf[]> {
    const at = now()
    const leaves: AnchorLeaf[] = []
    const publishOne = async (log: UnpublishedLog) => {
      const checkpoint = await publishLog(log, options)
      if (checkpoint === null || (await catalog.findAnchorIndex(log, log.size, options)) !== null) return
      const origin = logOrigin(name, log.tenantId, log.year)
      const { size } = checkpoint
      const root = new Uint8Array(checkpoint.root)
      leaves.push({
        leaf: encodeAnchorLeaf({ at: at.toISOString(), checkpoint: { origin, size, root } }),
        of: log,
      })
      parts.onPublished?.(log, size)
    }
    await each(
      await catalog.listUnpublished(options),
      log =>
        parts.guarded(log, async () => {
          try {
            await publishOne(log)
          } catch (error) {
            published.delete(logPrefix(log.tenantId, log.year))
            throw error
          }
        }),
      logsAtOnce,
    )
    return leaves
  }

  async function append(
    row: AnchorRow,
    leaves: readonly AnchorLeaf[],
    options: CallOptions,
  ): Promise<AnchorRow> {
    const tree = await orIncomplete(restoreTree(row.size, anchorTree(options).readTile))
    if (!equalBytes(encodeFrontier(tree.frontier()), row.frontier))
      throw new LogRefusal('incomplete', 'The hashes of the log over all logs do not add up to its root')
    const tiles = leaves.flatMap(({ leaf }) => tree.append(fastLeafHash(leaf)))
    const frontier = encodeFrontier(tree.frontier())
    const commit = { fromSize: row.size, at: now(), leaves, tiles, frontier }
    // Another process that is faster has taken in the same checkpoints; the next round sees.
    if ((await catalog.appendAnchor(commit, options)) === 'moved') return row
    return { ...row, size: tree.size, frontier }
  }

  /** Signed only where it adds to what was published. */
  async function sign(row: AnchorRow, last: PublishedState | null, options: CallOptions): Promise<void> {
    const source = anchorTree(options)
    const tree = await orIncomplete(growFrom({ source, published: last }, row.size, options))
    const root = createTree(decodeFrontier(row.size, row.frontier)).root()
    if (!equalBytes(tree.root(), root))
      throw new LogRefusal('incomplete', 'The leaves of the log over all logs do not add up to its root')
    const at = now()
    const text = formatCheckpoint({ origin: row.origin, size: row.size, root })
    const signed = await signNote(row.origin, text, options)
    const read = tileReader(source.readTile, row.size)
    const note = await parts.witnesses.cosign(
      { note: signed, size: row.size, lastSize: last?.size ?? 0 },
      from => consistencyProof(from, row.size, read),
      options,
    )
    await catalog.addAnchorCheckpoint({ size: row.size, root, note, at }, options)
  }

  async function signNote(origin: string, text: string, options: CallOptions): Promise<string> {
    const { signature, keyVersion } = await parts.signer.sign(Buffer.from(text), options)
    const key = anchorVerifierKey(origin, await parts.signer.publicKey({ keyVersion, ...options }))
    await putKey(anchorPrefix, key, options)
    return formatNote({ text, signatures: [noteSignature(key, signature)] })
  }

  return {
    async round(options) {
      const origin = anchorOrigin(name)
      let row = await catalog.openAnchor(origin, options)
      if (row.origin !== origin)
        throw new LogRefusal('renamed', 'The log goes by another name than AURICLE_LOG_NAME says')
      const known = await catalog.findAnchorCheckpoint('published', options)
      const last = await lastPublished(anchorPrefix, { origin, known }, options)
      if (last !== null && last.size > row.size)
        throw new LogRefusal('truncated', 'More of the log over all logs was published than the database has')

      const leaves = await publishLogs(options)
      let newest = await catalog.findAnchorCheckpoint('newest', options)
      const isSilent = newest !== null && now().getTime() - newest.at.getTime() >= silenceMs
      if (leaves.length > 0) row = await append(row, leaves, options)
      else if (isSilent && newest?.size === row.size)
        row = await append(
          row,
          [{ leaf: encodeAnchorLeaf({ at: now().toISOString(), checkpoint: null }), of: null }],
          options,
        )

      if (row.size > (newest?.size ?? 0)) {
        await sign(row, last, options)
        newest = await catalog.findAnchorCheckpoint('newest', options)
      }
      if (newest === null || newest.publishedAt !== null) return
      // Known again only once it is done.
      published.delete(anchorPrefix)
      await orIncomplete(
        publishTree(
          {
            ...{ store, prefix: anchorPrefix, source: anchorTree(options), published: last },
            ...{ checkpoint: newest, now: now() },
          },
          options,
        ),
      )
      published.set(anchorPrefix, { size: newest.size, root: new Uint8Array(newest.root) })
      await catalog.markAnchorPublished(newest.size, now(), options)
    },
  }
}

/** As notes name it: Ed25519 by its raw bytes, ECDSA by the whole of its public key. */
export function anchorVerifierKey(origin: string, { algorithm, spki }: PublicKey): VerifierKey {
  const ed25519Bytes = 32
  return algorithm === 'ed25519'
    ? verifierKey(origin, 'ed25519', spki.subarray(spki.length - ed25519Bytes))
    : verifierKey(origin, 'ecdsa-p256', spki)
}
