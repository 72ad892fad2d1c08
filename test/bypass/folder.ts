// What a folder store lets nobody do through its port, and what whoever owns the folder can do by hand, which is found.
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ObjectError, type ObjectStore } from '@auricle/objects'
import { findDrift } from '@auricle/vault'
import type { Attempt } from './attempt.ts'
import type { Guard, GuardedRecording } from './guarded.ts'

const longPast = new Date('2020-01-03T00:00:00.000Z')
const bytes = async function* () {
  yield Buffer.from('other bytes')
}

/** Leaves everything as it was. */
export async function tryFolder(guard: Guard): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  const before = await guard.look()
  for (const one of guard.recordings) {
    // Nothing but the database keeps what is undecided once its retention is over.
    const isKept = one.reason !== 'undecided'
    const isRetained = one.reason === 'under retention'
    for (const { where } of before.find(({ id }) => id === one.id)?.stored ?? []) {
      const [name, key = ''] = where.split(' ')
      const store: ObjectStore = name === 'primary' ? guard.primary : guard.recovery
      const generation =
        before.flatMap(({ stored }) => stored).find(found => found.where === where)?.facts.generation ?? ''
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        ...(isKept
          ? {
              delete: () => store.delete(key),
              'delete by generation': () => store.delete(key, { generation }),
            }
          : {}),
        'put over it': () => store.put(key, bytes(), { retainUntil: null }).then(({ status }) => status),
        'retain, sooner': () => store.retain(key, longPast, { generation }).then(() => 'only ever later'),
        ...(isRetained ? { loosen: () => store.loosen(key, null, { generation }) } : {}),
        'write other notes': () => store.setMetadata(key, {}, { generation }).then(() => 'beside the bytes'),
        ...(isRetained
          ? { 'take a hold off, then delete': () => store.setHold(key, false).then(() => store.delete(key)) }
          : {}),
      }
      for (const [call, run] of Object.entries(calls)) {
        const code = await run().then(String, (error: unknown) =>
          error instanceof ObjectError ? error.code : String(error),
        )
        const harm = code === 'deleted' || code === 'created' ? [`${one.reason}: ${call}: ${code}`] : []
        attempts.push({
          ...{ wall: 'folder', by: 'any service, by the port', what: `${call}: ${one.reason}`, harm },
          refused: code,
          logged: '-',
        })
      }
    }
  }
  const harm = await guard.harm(before)
  if (harm.length > 0)
    attempts.push({
      ...{ wall: 'folder', by: 'any service', what: 'all calls', harm },
      refused: '-',
      logged: '-',
    })
  return attempts
}

/** What nothing but the rights of the file system refuses. The recordings are lost. */
export async function tryByHand(guard: Guard): Promise<readonly Attempt[]> {
  const { vault, tenantId, now } = guard
  const found = async (): Promise<
    readonly { readonly kind: string; readonly recording: string; readonly mended: boolean }[]
  > => {
    const orders = { by: 'worker', mend: true, unless: null } as const
    const stores = { objects: guard.primary, recovery: guard.recovery }
    const report = await findDrift({ catalog: vault.catalog, ...stores, now }, tenantId, orders, {})
    const { rows } = await vault.database.superuserPool.query(
      'select kind, recording_id as recording, mended from auricle.drift_finding where tenant_id = $1 and run_id = $2',
      [tenantId, report?.id],
    )
    return rows
  }
  const attempts: Attempt[] = []
  const attempt = async (
    what: string,
    one: GuardedRecording,
    kind: string,
    byHand: (folder: string) => Promise<void>,
  ) => {
    await byHand(await folderOf(join(vault.folder, 'objects'), one.id))
    const finding = (await found()).find(each => each.kind === kind && each.recording === one.id)
    attempts.push({
      ...{ wall: 'folder', by: 'whoever owns the folder', what: `${what}: ${one.reason}` },
      refused:
        finding === undefined ? 'not found' : `found as ${kind}${finding.mended ? ', and mended' : ''}`,
      logged: 'store.drifted',
      harm: finding === undefined ? [`${what} is not found as ${kind}`] : [],
    })
  }
  const retention = (folder: string) => join(folder, 'original=retention')
  const lift = async (folder: string, isWanted: (name: string) => boolean) => {
    for (const name of await readdir(retention(folder)))
      if (isWanted(name)) await rm(join(retention(folder), name))
  }
  const held = guard.find('held, its retention over')
  const retained = guard.find('under retention')
  await attempt('remove its hold', held, 'not_held', folder => lift(folder, name => name.includes('hold')))
  await attempt('remove its retention', retained, 'shorter', folder => lift(folder, () => true))
  await attempt('put another file in its place', held, 'other_generation', async folder => {
    await writeFile(join(folder, 'draft'), 'other bytes')
    await rename(join(folder, 'draft'), join(folder, 'peaks=object'))
  })
  await attempt('put a copy of itself in its place', retained, 'other_generation', async folder => {
    await copyFile(join(folder, 'playback=object'), join(folder, 'draft'))
    await rename(join(folder, 'draft'), join(folder, 'playback=object'))
  })
  await attempt('remove the file', retained, 'missing', folder => rm(join(folder, 'original=object')))
  await attempt('remove the file', held, 'missing', folder => rm(join(folder, 'original=object')))
  return attempts
}

async function folderOf(root: string, recordingId: string): Promise<string> {
  const names = await readdir(root, { recursive: true })
  const found = names.find(name => name.endsWith(recordingId))
  if (found === undefined) throw new Error('The recording has no folder')
  return join(root, found)
}
