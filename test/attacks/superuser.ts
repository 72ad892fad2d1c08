// What whoever administers the database can do: every row as they like it, the tree made anew to fit, and signed where they
// have stolen a key.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  type Bytes,
  createTree,
  encodeFrontier,
  formatCheckpoint,
  formatNote,
  leafHash,
  noteSignature,
  tileHash,
  tileWidth,
  verifierKey,
} from '@auricle/audit'
import type { Wrap } from '@auricle/contract'
import type pg from 'pg'
import type { World } from './world.ts'

type Client = Pick<pg.ClientBase, 'query'>

const protectedTables = [
  'audit_event',
  'audit_seal',
  'audit_patient',
  'audit_tile',
  'audit_checkpoint',
  'anchor_leaf',
  'anchor_tile',
  'anchor_checkpoint',
]

/** One transaction without triggers: afterwards everything is as protected as it was. */
export async function asSuperuser(
  { superuser }: Pick<World, 'superuser'>,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const client = await superuser.connect()
  try {
    await client.query('begin')
    // The vault is at work: rather fail than wait for each other.
    await client.query(`set local lock_timeout = '20s'`)
    for (const table of protectedTables)
      await client.query(`alter table auricle.${table} disable trigger user`)
    await work(client)
    // In replica mode too, as the migrations have it.
    for (const table of protectedTables)
      await client.query(`alter table auricle.${table} enable trigger user`)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** The largest published checkpoint of the tenant's log. */
export async function publishedSize({ superuser, tenantId, year }: World): Promise<number> {
  const { rows } = await superuser.query<{ size: string }>(
    `select size from auricle.audit_checkpoint
     where tenant_id = $1 and year = $2 and published_at is not null order by size desc limit 1`,
    [tenantId, year],
  )
  return Number(rows[0]?.size ?? 0)
}

/** The first access of somebody to a recording that is sealed at `from` or after it. */
export async function someSeal(
  client: Client,
  { tenantId, year }: World,
  from: number,
): Promise<{ readonly eventId: string; readonly seq: number }> {
  const { rows } = await client.query<{ event_id: string; seq: string }>(
    `select event_id, seq from auricle.audit_seal
     where tenant_id = $1 and year = $2 and seq >= $3 and action = 'recording.played' order by seq limit 1`,
    [tenantId, year, from],
  )
  const [row] = rows
  if (row === undefined) throw new Error('the log has no such leaf yet')
  return { eventId: row.event_id, seq: Number(row.seq) }
}

/** Another leaf in place of a sealed event's: the same event, done by somebody else. */
export async function replaceLeaf(client: Client, { tenantId }: World, eventId: string): Promise<Bytes> {
  const { rows } = await client.query<{ leaf: Buffer }>(
    'select leaf from auricle.audit_event where tenant_id = $1 and id = $2',
    [tenantId, eventId],
  )
  const text = rows[0]?.leaf.toString('utf8') ?? ''
  const leaf = Buffer.from(text.replace(/usr_[0-9a-z]{26}/, 'usr_00000000000000000000000000'))
  await client.query('update auricle.audit_event set leaf = $3 where tenant_id = $1 and id = $2', [
    tenantId,
    eventId,
    leaf,
  ])
  return leafHash(leaf)
}

/** Tiles, frontier and the newest checkpoint made anew over the seals as they are, and signed with the stolen key. */
export async function rebuildTree(client: Client, world: World): Promise<void> {
  const { tenantId, year, origin } = world
  const { rows } = await client.query<{ leaf_hash: Buffer }>(
    'select leaf_hash from auricle.audit_seal where tenant_id = $1 and year = $2 order by seq',
    [tenantId, year],
  )
  const hashes = rows.map(row => new Uint8Array(row.leaf_hash))
  await client.query('delete from auricle.audit_tile where tenant_id = $1 and year = $2', [tenantId, year])
  for (const [level, tiles] of tilesOver(hashes).entries()) {
    for (const [index, tile] of tiles.entries()) {
      await client.query(
        `insert into auricle.audit_tile (tenant_id, year, level, idx, hashes, root) values ($1, $2, $3, $4, $5, $6)`,
        [tenantId, year, level, index, tile, tileHash(tile)],
      )
    }
  }
  const tree = createTree()
  for (const hash of hashes) tree.append(hash)
  await client.query(
    'update auricle.audit_log set size = $3, frontier = $4 where tenant_id = $1 and year = $2',
    [...[tenantId, year, tree.size, encodeFrontier(tree.frontier())]],
  )
  const sizes = await client.query<{ size: string }>(
    'select size from auricle.audit_checkpoint where tenant_id = $1 and year = $2',
    [tenantId, year],
  )
  for (const size of sizes.rows.map(row => Number(row.size))) {
    const part = createTree()
    for (const hash of hashes.slice(0, size)) part.append(hash)
    const text = formatCheckpoint({ origin, size, root: part.root() })
    await client.query(
      'update auricle.audit_checkpoint set root = $4, note = $5 where tenant_id = $1 and year = $2 and size = $3',
      [tenantId, year, size, part.root(), await signWithLogKey(world, text)],
    )
  }
}

/** The log of the vault set back to an earlier published state, as the restore of an old backup would. */
export async function setBack(client: Client, world: World, size: number): Promise<void> {
  const { tenantId, year } = world
  await client.query(
    `delete from auricle.audit_event e using auricle.audit_seal s
     where s.tenant_id = $1 and s.year = $2 and s.seq >= $3 and e.tenant_id = s.tenant_id and e.id = s.event_id`,
    [tenantId, year, size],
  )
  for (const table of ['audit_patient', 'audit_seal'])
    await client.query(`delete from auricle.${table} where tenant_id = $1 and year = $2 and seq >= $3`, [
      ...[tenantId, year, size],
    ])
  await client.query(
    'delete from auricle.audit_checkpoint where tenant_id = $1 and year = $2 and size > $3',
    [...[tenantId, year, size]],
  )
  await rebuildTree(client, world)
}

function tilesOver(hashes: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels: Uint8Array[][] = []
  for (let below = hashes; below.length >= tileWidth; ) {
    const tiles: Uint8Array[] = []
    for (let first = 0; first + tileWidth <= below.length; first += tileWidth)
      tiles.push(new Uint8Array(Buffer.concat(below.slice(first, first + tileWidth))))
    levels.push(tiles)
    below = tiles.map(tile => tileHash(tile))
  }
  return levels
}

const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const rawKeyBytes = 32

/** With the key that signs checkpoints of tenants, taken out of the database and unwrapped. */
async function signWithLogKey({ superuser, keyService, origin }: World, text: string): Promise<string> {
  const { rows } = await superuser.query<{ id: string; wrapped: Wrap }>(
    'select id, wrapped from auricle.log_key where retired_at is null',
  )
  const [row] = rows
  if (row === undefined) throw new Error('there is no key to steal')
  const seed = await keyService
    .key({ purpose: 'identity' })
    .unwrap(row.wrapped, Buffer.from(`auricle-log-key/1\n${row.id}`))
  const key = createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-rawKeyBytes)
  const signature = sign(null, Buffer.from(text), key)
  return formatNote({ text, signatures: [noteSignature(verifierKey(origin, 'ed25519', raw), signature)] })
}

/** With the key of the KMS that signs the log over all logs. */
export async function signWithAnchorKey({ keyService, anchorKey }: World, text: string): Promise<string> {
  const { signature } = await keyService.signer({ purpose: 'checkpoints' }).sign(Buffer.from(text))
  return formatNote({ text, signatures: [noteSignature(anchorKey, signature)] })
}
