// Seals a tenant's events into its log behind the services' back: order, tree, signed root, all as it must be.
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  createTree,
  decodeFrontier,
  decodeLeaf,
  encodeFrontier,
  formatCheckpoint,
  formatNote,
  fullTiles,
  type HashReader,
  leafHash,
  noteSignature,
  tileHash,
  tileReader,
  verifierKey,
} from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import type { TestDatabase } from './postgres.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const rawKeyBytes = 32
const rawKey = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-rawKeyBytes))
const tileWidth = 256

export const testOrigin = (tenantId: TenantId, year: number): string => `log.test/t/${tenantId}/${year}`
export const testLogKey = (origin: string) => verifierKey(origin, 'ed25519', rawKey)

/** Appends all that is not sealed yet, in the order of ids. Returns the size of the log. */
export async function sealLog(
  { superuserPool: pool }: Pick<TestDatabase, 'superuserPool'>,
  tenantId: TenantId,
  { year = new Date().getUTCFullYear(), at = new Date() }: { year?: number; at?: Date } = {},
): Promise<number> {
  const origin = testOrigin(tenantId, year)
  await pool.query(
    `insert into auricle.audit_log (tenant_id, year, origin, opened_at) values ($1, $2, $3, $4) on conflict do nothing`,
    [tenantId, year, origin, at],
  )
  const log = await pool.query(
    'select size, frontier from auricle.audit_log where tenant_id = $1 and year = $2',
    [tenantId, year],
  )
  const from = Number(log.rows[0].size)
  const tree = createTree(decodeFrontier(from, log.rows[0].frontier))
  const found = await pool.query(
    `select id, leaf from auricle.audit_event e where tenant_id = $1
       and not exists (select from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = e.id) order by id`,
    [tenantId],
  )
  for (const { id, leaf } of found.rows) {
    const event = decodeLeaf(leaf)
    const seq = tree.size
    const hash = leafHash(leaf)
    tree.append(hash)
    await pool.query(
      `insert into auricle.audit_seal (tenant_id, year, seq, event_id, leaf_hash, at, action, outcome, actor_id, object_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        ...[tenantId, year, seq, id, hash, event.at, event.action, event.outcome, event.actor.id],
        event.object?.id ?? null,
      ],
    )
    for (const patient of event.patients ?? []) {
      await pool.query(
        'insert into auricle.audit_patient (tenant_id, patient_id, year, seq, at) values ($1, $2, $3, $4, $5)',
        [tenantId, patient, year, seq, event.at],
      )
    }
  }
  if (tree.size === from) return from
  await addTiles(pool, tenantId, year, { from, to: tree.size })
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() })
  const signature = new Uint8Array(sign(null, Buffer.from(text), privateKey))
  const note = formatNote({ text, signatures: [noteSignature(testLogKey(origin), signature)] })
  await pool.query(
    `insert into auricle.audit_checkpoint (tenant_id, year, size, root, note, sealed_at) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, year, tree.size, tree.root(), note, at],
  )
  await pool.query(
    `update auricle.audit_log set size = $3, frontier = $4, (cursor_xid, cursor_id) =
       (select xid, id from auricle.audit_event where tenant_id = $1 order by xid desc, id desc limit 1)
     where tenant_id = $1 and year = $2`,
    [tenantId, year, tree.size, encodeFrontier(tree.frontier())],
  )
  return tree.size
}

async function addTiles(
  pool: TestDatabase['superuserPool'],
  tenantId: TenantId,
  year: number,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const hashes = await pool.query(
    'select leaf_hash from auricle.audit_seal where tenant_id = $1 and year = $2 order by seq',
    [tenantId, year],
  )
  const leaves: Uint8Array[] = hashes.rows.map(row => row.leaf_hash)
  const read: HashReader = tileReader(async ({ level, index, width }) => {
    if (level > 0) throw new RangeError('no test has so many events')
    const start = index * tileWidth
    return new Uint8Array(Buffer.concat(leaves.slice(start, start + width)))
  }, to)
  for (const { level, index } of fullTiles(from, to)) {
    const tile = await Promise.all(
      Array.from({ length: tileWidth }, (_, place) => read(level * 8, index * tileWidth + place)),
    )
    await pool.query(
      'insert into auricle.audit_tile (tenant_id, year, level, idx, hashes, root) values ($1, $2, $3, $4, $5, $6)',
      [...[tenantId, year, level, index, Buffer.concat(tile), tileHash(Buffer.concat(tile))]],
    )
  }
}
