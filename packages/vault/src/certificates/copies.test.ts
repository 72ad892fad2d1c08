// What a certificate says of copies, held against what there is: two buckets that keep what was deleted for a while, and
// backups of the database that are taken each day and kept as long as they may. Until the last copy is gone, exactly what
// is listed is left; from then on, nothing.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readCertificate } from '@auricle/audit'
import { verifyCertificate } from '@auricle/audit/verifier'
import type { CertificateClaims, CopyPlace, RecordingId } from '@auricle/contract'
import { createGoogleStore } from '@auricle/objects/google'
import { bytesSource, inspectSealed } from '@auricle/sealed'
import { archiveAudio } from '../../../../test/archived.ts'
import { type EndOfLife, openEndOfLife } from '../../../../test/disposition-vault.ts'
import { type GcsEmulator, startGcsEmulator } from '../../../../test/emulators/gcs/server.ts'
import { startMetadataServer } from '../../../../test/emulators/metadata/server.ts'
import { googleEnvironment, lawfulSettings } from '../../../../test/harness/emulated-bucket.ts'
import { sealLog } from '../../../../test/sealed-log.ts'
import { shortWav } from '../../../../test/vault.ts'
import { destroyReady } from '../disposition/destroy-ready.ts'
import { logPolicy } from '../evidence/log-policy.ts'
import { createLogKeeper } from '../log/keeper.ts'
import { createWitnesses } from '../log/witness-client.ts'
import { recordingFolder } from '../object-key.ts'
import { attemptReplication } from '../replicate-attempt.ts'
import { issueCertificates } from './issue.ts'
import { certificateKeys } from './keys.ts'

const dayMs = 86_400_000
const backupDays = 35
const buckets = { primary: 'recordings', recovery: 'copies' } as const
const stores = ['primary', 'recovery'] as const

interface Case {
  /** For how long each bucket keeps what was deleted. */
  readonly primaryDays: number
  readonly recoveryDays: number
  /** From the archive to the destruction. */
  readonly afterDays: number
}

/** Everything that holds copies, by one clock. */
interface World extends AsyncDisposable {
  readonly end: EndOfLife
  readonly gcs: GcsEmulator
  readonly primary: ReturnType<typeof createGoogleStore>
  readonly recovery: ReturnType<typeof createGoogleStore>
  readonly backups: Backups
  goTo(at: Date): Promise<void>
}

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auricle-backups-'))
  // The server of the database writes there as whoever it is.
  await chmod(folder, 0o777)
})
after(() => rm(folder, { recursive: true, force: true }))

async function openWorld({ primaryDays, recoveryDays }: Case): Promise<World> {
  await using opening = new AsyncDisposableStack()
  const end = opening.use(await openEndOfLife())
  // What is archived now is archived by this clock too.
  end.clock.now = new Date()
  const now = () => end.clock.now.getTime()
  const gcs = opening.use(await startGcsEmulator({ clock: now }))
  const metadata = opening.use(await startMetadataServer({ token: 'anybody', email: 'anybody@auricle-test' }))
  Object.assign(process.env, googleEnvironment(metadata.host))
  const storeOf = (bucket: string, days: number) => {
    gcs.createBucket(bucket, {
      ...lawfulSettings,
      softDeletePolicy: { retentionDurationSeconds: String((days * dayMs) / 1000) },
    })
    return createGoogleStore({ bucket, prefix: 'vault', retentionMode: 'Unlocked', endpoint: gcs.url, now })
  }
  const primary = storeOf(buckets.primary, primaryDays)
  const recovery = storeOf(buckets.recovery, recoveryDays)
  const backups = createBackups(end, await mkdtemp(join(folder, 'each-')))
  await chmod(backups.folder, 0o777)
  const kept = opening.move()
  return {
    ...{ end, gcs, primary, recovery, backups },
    async goTo(at) {
      end.clock.now = at
      await backups.prune()
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

interface Backups {
  readonly folder: string
  take(): Promise<void>
  /** What is as old as a copy may become goes. */
  prune(): Promise<void>
  /** How many hold one of the texts. */
  countWith(texts: readonly string[]): Promise<number>
}

/** Whole tables, as the server itself writes them out: a folder a backup, named after its time. */
function createBackups({ vault, clock }: EndOfLife, place: string): Backups {
  const pool = vault.database.superuserPool
  let count = 0
  return {
    folder: place,
    async take() {
      const backup = join(place, `${clock.now.getTime()}-${++count}`)
      await mkdir(backup)
      await chmod(backup, 0o777)
      const { rows } = await pool.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'auricle'",
      )
      assert.ok(rows.length > 40)
      for (const { name } of rows) await pool.query(`copy auricle.${name} to '${join(backup, name)}'`)
    },
    async prune() {
      for (const backup of await readdir(place)) {
        const at = Number(backup.split('-')[0])
        if (at + backupDays * dayMs <= clock.now.getTime()) await rm(join(place, backup), { recursive: true })
      }
    },
    async countWith(texts) {
      let found = 0
      for (const backup of await readdir(place)) {
        const files = (await readdir(join(place, backup))).map(file => join(place, backup, file))
        const contents = await Promise.all(files.map(file => readFile(file, 'latin1')))
        if (contents.some(content => texts.some(text => content.includes(text)))) found += 1
      }
      return found
    },
  }
}

/** What is sealed of a recording in the database, as a table is written out: whoever finds one of these has a copy. */
async function sealedTexts({ vault }: EndOfLife, recordingId: RecordingId): Promise<readonly string[]> {
  const { rows } = await vault.database.superuserPool.query<{ sealed: Buffer | null }>(
    `select unnest(array[r.source_id, r.from_number, r.from_name, r.to_number, r.patient_reference, r.note,
       r.from_index, r.to_index, i.sealed_notice]) as sealed
     from auricle.recording r join auricle.intake i on i.tenant_id = r.tenant_id and i.id = r.intake_id
     where r.id = $1`,
    [recordingId],
  )
  return rows.flatMap(({ sealed }) => (sealed === null ? [] : [sealed.toString('hex')]))
}

async function archive(world: World): Promise<RecordingId> {
  const { end, primary, recovery } = world
  const vault = { ...end.vault, objects: { ...end.vault.objects, ...primary } }
  const said = { fromName: 'Dana Example', patientReference: 'MRN-000077', note: 'asks for a call back' }
  const recordingId = await archiveAudio(vault, end.clinic, shortWav(1), { sourceId: 'pbx-77', ...said })
  const copied = await attemptReplication({ ...vault, recovery }, end.tenantId, recordingId, {})
  assert.equal(copied.status, 'replicated')
  return recordingId
}

/** Signed, published, checked by the verifier that an outsider has; what it says. */
async function certified({ end }: World, recordingId: RecordingId): Promise<CertificateClaims> {
  const { vault, tenantId } = end
  const name = 'log.test'
  await sealLog(vault, tenantId)
  await using keeper = createLogKeeper({
    ...{ catalog: vault.catalog, store: vault.logStore, keys: vault.keyService, name },
    ...{ watch: {}, witnesses: createWitnesses({ witnesses: [] }) },
  })
  await keeper.publish({})
  await issueCertificates({ catalog: vault.catalog, keys: vault.keyService, logName: name }, {})
  const jws = (await vault.catalog.findCertificate(tenantId, recordingId))?.issued?.jws ?? ''
  const jwks = JSON.stringify(await certificateKeys(vault.keyService, {}))
  const policy = await logPolicy({ catalog: vault.catalog, keys: vault.keyService, witnesses: [] }, {})
  const report = verifyCertificate(Buffer.from(jws), { jwks, policy })
  assert.deepEqual(report.findings, [])
  return readCertificate(jws).claims
}

interface Left {
  readonly objects: readonly string[]
  readonly places: readonly CopyPlace[]
}

/** What there is of it at this moment, wherever it is, looked for behind the backs of all APIs. */
async function leftNow(
  { end, gcs, primary, recovery, backups }: World,
  recordingId: RecordingId,
  sealed: readonly string[],
): Promise<Left> {
  const objects: string[] = []
  for (const store of stores) {
    // Whatever is asked, the service removes what it may keep no longer.
    for await (const _ of (store === 'primary' ? primary : recovery).listGone('none')) assert.fail()
    for (const { name, generation, bytes } of gcs.state.objects(buckets[store])) {
      if (!name.includes(recordingId) && !name.startsWith(`vault/intake/${end.tenantId}/`)) continue
      objects.push(`${store} ${name.slice('vault/'.length)} ${generation}`)
      const header = await inspectSealed(bytesSource(bytes()))
      assert.deepEqual(
        header.wraps.map(({ key }) => key),
        [`tenants/${end.tenantId}/recordings`],
      )
    }
  }
  const places = stores.filter(store => objects.some(object => object.startsWith(store)))
  const inBackups = (await backups.countWith(sealed)) > 0
  return { objects: objects.sort(), places: [...places, ...(inBackups ? ['database_backups' as const] : [])] }
}

function saidOf({ objects, copies }: CertificateClaims, at: Date): Left {
  const until = at.toISOString()
  return {
    objects: objects
      .filter(({ restorableUntil }) => restorableUntil !== null && restorableUntil > until)
      .map(({ store, key, generation }) => `${store} ${key} ${generation}`)
      .sort(),
    places: copies.filter(copy => copy.until > until).map(({ where }) => where),
  }
}

const cases: Readonly<Record<string, Case>> = {
  'seven days in both buckets': { primaryDays: 7, recoveryDays: 7, afterDays: 60 },
  'longer in the second bucket than backups are kept': { primaryDays: 7, recoveryDays: 90, afterDays: 60 },
  'a delivery that can still be brought back': { primaryDays: 60, recoveryDays: 7, afterDays: 40 },
  'no bucket that keeps anything': { primaryDays: 0, recoveryDays: 0, afterDays: 60 },
}

describe('until the last copy is gone exactly what is listed is left, and after that nothing', () => {
  for (const [name, one] of Object.entries(cases)) {
    test(name, async t => {
      await using world = await openWorld(one)
      const { end, primary, recovery, backups } = world
      const begun = end.clock.now.getTime()
      const recordingId = await archive(world)
      const prefix = recordingFolder(end.tenantId, recordingId)
      const sealed = await sealedTexts(end, recordingId)
      assert.ok(sealed.length >= 7)
      await backups.take()
      assert.equal(await backups.countWith(sealed), 1)

      const dueAt = begun + one.afterDays * dayMs
      await world.goTo(new Date(dueAt - 8 * dayMs))
      await end.propose()
      for (let at = dueAt - 3 * dayMs; at <= dueAt; at += dayMs) {
        await world.goTo(new Date(at))
        await backups.take()
      }
      const counts = await destroyReady({ ...end.parts, stores: { primary, recovery }, backupDays }, {})
      assert.equal(counts.destroyed, 1)
      const claims = await certified(world, recordingId)
      assert.equal(claims.destroyedAt, new Date(dueAt).toISOString())
      const before = await backups.countWith(sealed)
      await backups.take()
      assert.equal(await backups.countWith(sealed), before)
      for (const store of [primary, recovery]) for await (const _ of store.list(prefix)) assert.fail()

      const moments = [claims.destroyedAt, ...claims.copies.map(({ until }) => until)]
        .flatMap(text => [Date.parse(text) - 1, Date.parse(text), Date.parse(text) + dayMs / 2])
        .concat(...claims.objects.flatMap(({ restorableUntil }) => Date.parse(restorableUntil ?? '') || []))
        .filter(at => at >= dueAt)
      let looked = 0
      for (const at of [...new Set(moments)].sort((a, b) => a - b)) {
        const moment = new Date(at)
        await world.goTo(moment)
        assert.deepEqual(
          await leftNow(world, recordingId, sealed),
          saidOf(claims, moment),
          `${moment.toISOString()} of ${claims.lastCopyAt}`,
        )
        looked += 1
      }
      assert.ok(end.clock.now.toISOString() > claims.lastCopyAt)
      assert.deepEqual(await leftNow(world, recordingId, sealed), { objects: [], places: [] })
      // The database of now, as a backup that is taken now would hold it.
      await backups.take()
      assert.equal(await backups.countWith(sealed), 0)
      t.diagnostic(
        `${claims.objects.length} objects, ${claims.copies.length} places, looked at ${looked} moments, the last copy ` +
          `${(Date.parse(claims.lastCopyAt) - dueAt) / dayMs} days after`,
      )
    })
  }
})
