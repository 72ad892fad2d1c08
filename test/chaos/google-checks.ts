// What the buckets hold after the storm, looked at from behind the services: every generation, byte for byte.
import type { Google } from '../harness/google.ts'
import type { Stack } from '../harness/stack.ts'
import { mebibytes, say, type Verdict } from '../harness/verdict.ts'

/** As the emulator tells it: an object of any generation, and the sum of the bytes that are really there. */
interface StoredView {
  readonly name: string
  readonly state: 'live' | 'noncurrent' | 'soft-deleted'
  readonly sizeBytes: number
  readonly crc32c: string
  readonly recomputedCrc32c: string
  readonly retention: { readonly mode: string; readonly retainUntil: number } | null
}

/** After the intake is swept. */
export async function checkBuckets(stack: Stack, google: Google, verdict: Verdict): Promise<void> {
  const { rows } = await stack.superuser.query<{ key: string }>(
    'select object_key as key from auricle.recording_object',
  )
  const expected = new Set(rows.map(({ key }) => key))
  const buckets = { recordings: google.places.recordings, recovery: google.places.recovery }
  for (const [store, bucket] of Object.entries(buckets)) {
    const stored = await google.storage.command<readonly StoredView[]>('recompute', { bucket })
    checkBucket(`the ${store} bucket`, stored, expected, verdict)
  }
}

function checkBucket(
  where: string,
  stored: readonly StoredView[],
  expected: ReadonlySet<string>,
  verdict: Verdict,
): void {
  const live = stored.filter(({ state }) => state === 'live')
  const strange = live.filter(({ name }) => !expected.has(name))
  const missing = expected.size - (live.length - strange.length)
  for (const { name } of strange) say(`       ${where} holds ${name}`)
  verdict.check(
    strange.length === 0 && missing === 0,
    `${where} holds an object for each row and no other`,
    `${live.length} objects (${mebibytes(live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}), ${strange.length} without a row, ${missing} missing`,
  )
  const noncurrent = stored.filter(({ state }) => state === 'noncurrent')
  const removed = stored.filter(({ state, name }) => state === 'soft-deleted' && !name.startsWith('intake/'))
  verdict.check(
    noncurrent.length === 0 && removed.length === 0,
    `${where} has no older generation, and of what was deleted only intakes`,
    `${stored.filter(({ state }) => state === 'soft-deleted').length} intakes deleted`,
  )
  const now = Date.now()
  const loose = live.filter(({ retention }) => retention?.mode !== 'Locked' || retention.retainUntil <= now)
  verdict.check(
    loose.length === 0,
    `every object in ${where} is under a locked retention`,
    `${loose.length} are not`,
  )
  const rotten = stored.filter(({ crc32c, recomputedCrc32c }) => crc32c !== recomputedCrc32c)
  verdict.check(
    rotten.length === 0,
    `every CRC32C in ${where} is that of the stored bytes`,
    `${stored.length - rotten.length} of ${stored.length}`,
  )
}
