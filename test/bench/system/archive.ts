// Brings one recording into the vault by the front door and waits until the worker has archived it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Place } from './product.ts'

const pollMs = 100

export interface Archived {
  readonly recordingId: string
  readonly tookMs: number
}

/** Throws where it came into quarantine, or was not archived in time. */
export async function waitUntilArchived(
  { superuser }: Pick<Place, 'superuser'>,
  recordingId: string,
  mostMs: number,
): Promise<Archived> {
  const startedMs = performance.now()
  const query = 'select state, attempts, last_error_code from auricle.intake where recording_id = $1'
  for (;;) {
    const { rows } = await superuser.query(query, [recordingId])
    const tookMs = performance.now() - startedMs
    if (rows[0]?.state === 'archived') return { recordingId, tookMs }
    if (rows[0]?.state === 'quarantined' || tookMs > mostMs) {
      throw new Error(
        `The recording was not archived after ${Math.round(tookMs)} ms: ${JSON.stringify(rows[0])}`,
      )
    }
    await delay(pollMs)
  }
}
