// The attacks of the design's table, as whoever administers database, storage or keys would make them; which finding each
// has to give, and after how long at the most.
import { appendFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeAnchorLeaf, formatNote, leafHash, tileWidth } from '@auricle/audit'
import { newEventId } from '@auricle/contract'
import type { FindingName } from '@auricle/vault'
import { newNoteSigner } from '../note-signer.ts'
import { forgeAnchor, publishedAnchorLeaves, withOtherRoots } from './forge-anchor.ts'
import { aReceipt, insertUncounted } from './leaves.ts'
import { asSuperuser, publishedSize, rebuildTree, replaceLeaf, setBack, someSeal } from './superuser.ts'
import type { World } from './world.ts'

export interface Attack {
  readonly name: string
  /** Any of them. */
  readonly finds: readonly FindingName[]
  readonly allowedMs: number
  run(world: World): Promise<void>
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** In the first block of 256, and in the last, which is not full. */
const oldSeq = 17
const recentSeq = tileWidth + 9

export const attacks: readonly Attack[] = [
  {
    name: 'a sealed event says something else',
    finds: ['silent_edit'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, oldSeq)
        await replaceLeaf(client, world, eventId)
      }),
  },
  {
    name: 'a sealed event and its seal say something else',
    finds: ['silent_edit', 'fork'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId, seq } = await someSeal(client, world, oldSeq)
        const hash = await replaceLeaf(client, world, eventId)
        await client.query(
          'update auricle.audit_seal set leaf_hash = $4 where tenant_id = $1 and year = $2 and seq = $3',
          [world.tenantId, world.year, seq, hash],
        )
      }),
  },
  {
    name: 'a private part is altered',
    finds: ['silent_edit'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, oldSeq)
        await client.query(
          `update auricle.audit_event set sealed_private = sealed_private || '\\x00' where tenant_id = $1 and id = $2`,
          [world.tenantId, eventId],
        )
      }),
  },
  {
    name: 'a private part is taken away, and no event says so',
    finds: ['silent_edit'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, recentSeq)
        await client.query(
          'update auricle.audit_event set sealed_private = null where tenant_id = $1 and id = $2',
          [world.tenantId, eventId],
        )
      }),
  },
  {
    name: 'a sealed event is deleted',
    finds: ['truncation'],
    allowedMs: hourMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, oldSeq)
        await client.query('delete from auricle.audit_event where tenant_id = $1 and id = $2', [
          world.tenantId,
          eventId,
        ])
      }),
  },
  {
    name: 'a sealed event is deleted with its seal',
    finds: ['truncation'],
    allowedMs: hourMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, oldSeq)
        for (const [table, column] of [
          ['audit_event', 'id'],
          ['audit_seal', 'event_id'],
        ])
          await client.query(`delete from auricle.${table} where tenant_id = $1 and ${column} = $2`, [
            world.tenantId,
            eventId,
          ])
      }),
  },
  {
    name: 'the newest events are cut off, with all that sealed them',
    // Where the log has grown past that again, what is there now is another history.
    finds: ['truncation', 'fork'],
    allowedMs: minuteMs,
    run: async world => {
      const size = await publishedSize(world)
      await asSuperuser(world, client => setBack(client, world, size - 5))
    },
  },
  {
    name: 'the database is set back to an earlier state, the log over all logs too',
    finds: ['truncation'],
    allowedMs: minuteMs,
    run: async world => {
      const size = await publishedSize(world)
      world.parts.isSealing = world.parts.isPublishing = false
      await asSuperuser(world, async client => {
        await setBack(client, world, size - 5)
        for (const table of ['anchor_checkpoint', 'anchor_leaf', 'anchor_tile'])
          await client.query(`delete from auricle.${table}`)
        await client.query(`update auricle.anchor_log set size = 0, frontier = '\\x'`)
      })
    },
  },
  {
    name: 'two events change places',
    finds: ['fork', 'silent_edit'],
    allowedMs: minuteMs,
    run: world =>
      asSuperuser(world, async client => {
        const move = (from: number, to: number) =>
          client.query(
            'update auricle.audit_seal set seq = $4 where tenant_id = $1 and year = $2 and seq = $3',
            [...[world.tenantId, world.year, from, to]],
          )
        await move(recentSeq, 1_000_000_000)
        await move(recentSeq + 1, recentSeq)
        await move(1_000_000_000, recentSeq + 1)
        await rebuildTree(client, world)
      }),
  },
  {
    name: 'an event is put into the past, and the tree made anew',
    finds: ['fork'],
    allowedMs: minuteMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId } = await someSeal(client, world, oldSeq)
        await client.query(
          'update auricle.audit_seal set seq = seq + 1000000 where tenant_id = $1 and year = $2 and seq >= $3',
          [world.tenantId, world.year, oldSeq],
        )
        await client.query(
          'update auricle.audit_seal set seq = seq - 999999 where tenant_id = $1 and year = $2 and seq >= 1000000',
          [world.tenantId, world.year],
        )
        const forged = await insertUncounted(client, world)
        await client.query(
          `insert into auricle.audit_seal (tenant_id, year, seq, event_id, leaf_hash, at, action, outcome, actor_id, object_id)
           select tenant_id, year, $4, $5, $6, at, action, outcome, actor_id, object_id from auricle.audit_seal
           where tenant_id = $1 and year = $2 and event_id = $3`,
          [world.tenantId, world.year, eventId, oldSeq, forged.id, leafHash(forged.leaf)],
        )
        await rebuildTree(client, world)
      }),
  },
  {
    name: 'the whole tree is made anew and signed with the stolen key of the log',
    finds: ['fork'],
    allowedMs: minuteMs,
    run: world =>
      asSuperuser(world, async client => {
        const { eventId, seq } = await someSeal(client, world, oldSeq)
        const hash = await replaceLeaf(client, world, eventId)
        await client.query(
          'update auricle.audit_seal set leaf_hash = $4 where tenant_id = $1 and year = $2 and seq = $3',
          [world.tenantId, world.year, seq, hash],
        )
        await rebuildTree(client, world)
      }),
  },
  {
    name: 'the key of the KMS is stolen too: another history is published beside the true one',
    finds: ['fork'],
    allowedMs: 10 * minuteMs,
    run: async world => {
      const more = encodeAnchorLeaf({ at: new Date().toISOString(), checkpoint: null })
      const other = withOtherRoots(world)
      await forgeAnchor(world, { change: leaves => [...other(leaves), more], instead: false })
    },
  },
  {
    name: 'and put in the place of the true one, by the administrator of the storage',
    finds: ['fork'],
    allowedMs: 10 * minuteMs,
    run: async world => {
      await world.stopPublishing()
      const more = encodeAnchorLeaf({ at: new Date().toISOString(), checkpoint: null })
      const other = withOtherRoots(world)
      await forgeAnchor(world, { change: leaves => [...other(leaves), more], instead: true })
    },
  },
  {
    name: 'the published log is cut off, and the monitor begins anew; only the witness has seen more',
    finds: ['truncation'],
    allowedMs: 10 * minuteMs,
    run: async world => {
      await world.stopPublishing()
      const leaves = await publishedAnchorLeaves(world)
      await forgeAnchor(world, { change: () => leaves.slice(0, -1), instead: true })
      await world.watchAnew()
    },
  },
  {
    name: 'the key that auditors are given is another',
    finds: ['fork'],
    allowedMs: minuteMs,
    run: async world => {
      await world.stopPublishing()
      const forger = newNoteSigner(world.anchorKey.name)
      const more = encodeAnchorLeaf({ at: new Date().toISOString(), checkpoint: null })
      await forgeAnchor(world, {
        change: leaves => [...leaves, more],
        instead: false,
        sign: async text => formatNote({ text, signatures: [forger.sign(text)] }),
      })
    },
  },
  {
    name: 'published leaves are deleted from the storage',
    finds: ['truncation'],
    allowedMs: dayMs,
    run: world =>
      rm(join(world.storeFolder, 'objects', 'log', world.tenantId, String(world.year), 'tile', 'entries'), {
        recursive: true,
      }),
  },
  {
    name: 'a published checkpoint is deleted from the storage',
    finds: ['truncation'],
    allowedMs: minuteMs,
    run: async world => {
      await world.stopPublishing()
      await rm(join(world.storeFolder, 'objects', 'log', world.tenantId, String(world.year), 'checkpoint'), {
        recursive: true,
      })
    },
  },
  {
    name: 'the log of a tenant is deleted whole',
    finds: ['truncation'],
    allowedMs: minuteMs,
    run: async world => {
      world.parts.isSealing = world.parts.isPublishing = false
      await asSuperuser(world, async client => {
        for (const table of ['audit_patient', 'audit_seal', 'audit_tile', 'audit_checkpoint', 'audit_log'])
          await client.query(`delete from auricle.${table} where tenant_id = $1`, [world.tenantId])
      })
    },
  },
  {
    name: 'an event is deleted before it is sealed',
    finds: ['counter_gap'],
    allowedMs: minuteMs,
    run: async world => {
      world.parts.isSealing = false
      const { id } = await world.append()
      await asSuperuser(world, async client => {
        await client.query('delete from auricle.audit_event where tenant_id = $1 and id = $2', [
          world.tenantId,
          id,
        ])
      })
      world.parts.isSealing = true
    },
  },
  {
    name: 'an event is deleted before it is sealed, and its writer silenced; a receipt was given',
    finds: ['receipt_missing'],
    allowedMs: minuteMs + 30 * secondMs,
    run: async world => {
      world.parts.isSealing = world.parts.isBeating = false
      const record = await world.append()
      await appendFile(world.receiptsFile, await aReceipt(world, record.id))
      await asSuperuser(world, async client => {
        await client.query('delete from auricle.audit_event where tenant_id = $1 and id = $2', [
          world.tenantId,
          record.id,
        ])
      })
      world.parts.isSealing = true
    },
  },
  {
    name: 'an event is put in by hand',
    finds: ['counter_gap'],
    allowedMs: minuteMs,
    run: world =>
      asSuperuser(world, async client => {
        await insertUncounted(client, world)
      }),
  },
  {
    name: 'nothing is sealed any more',
    finds: ['unsealed_age'],
    allowedMs: minuteMs + 30 * secondMs,
    run: async world => {
      world.parts.isSealing = world.parts.isPublishing = false
      await world.append()
    },
  },
  {
    name: 'nothing is published any more',
    finds: ['missing_heartbeat'],
    allowedMs: 12 * minuteMs,
    run: async world => {
      world.parts.isPublishing = false
    },
  },
  {
    name: 'a writer falls silent',
    finds: ['missing_heartbeat'],
    allowedMs: 2 * minuteMs,
    run: async world => {
      world.parts.isBeating = false
      await world.append()
    },
  },
  {
    name: 'a key is used and no event says for what',
    finds: ['key_use'],
    allowedMs: dayMs,
    run: world => world.noteKeyUse({ tenantId: world.tenantId, eventId: newEventId(), at: new Date() }),
  },
  {
    name: 'the key service counts more uses than events announced',
    finds: ['key_use'],
    allowedMs: dayMs,
    run: async world => {
      // Exported entries come late, so days are judged when they have been over for a day.
      const timestamp = new Date(Date.now() - 2 * dayMs).toISOString()
      const resourceName = `projects/p/locations/l/keyRings/r/cryptoKeys/tenants-${world.tenantId}-recordings`
      const entry = { timestamp, protoPayload: { methodName: 'Decrypt', resourceName } }
      await mkdir(world.keyUses, { recursive: true })
      await appendFile(join(world.keyUses, 'cloud-audit.ndjson'), `${JSON.stringify(entry)}\n`)
    },
  },
  {
    name: 'search is told that somebody else did it',
    finds: ['rewritten_index'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { seq } = await someSeal(client, world, oldSeq)
        await client.query(
          `update auricle.audit_seal set actor_id = 'usr_00000000000000000000000000'
           where tenant_id = $1 and year = $2 and seq = $3`,
          [world.tenantId, world.year, seq],
        )
      }),
  },
  {
    name: 'search is told that an event is not about a patient',
    finds: ['rewritten_index'],
    allowedMs: dayMs,
    run: world =>
      asSuperuser(world, async client => {
        const { seq } = await someSeal(client, world, oldSeq)
        await client.query(
          'delete from auricle.audit_patient where tenant_id = $1 and year = $2 and seq = $3',
          [...[world.tenantId, world.year, seq]],
        )
      }),
  },
  {
    name: 'the clock of the vault is put forward',
    finds: ['missing_heartbeat'],
    allowedMs: minuteMs,
    run: async world => {
      world.clock.vaultMs += hourMs
      await world.append()
    },
  },
  {
    name: 'the clock of the vault is put back',
    finds: ['missing_heartbeat'],
    allowedMs: minuteMs,
    run: async world => {
      world.clock.vaultMs -= hourMs
      await world.append()
    },
  },
]
