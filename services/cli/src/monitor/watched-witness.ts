// Asks a witness what it cosigned last (C2SP tlog-witness, monitoring path).
import { monitoringPath, parseVerifierKey } from '@auricle/audit'
import type { Config } from '@auricle/runtime'
import type { WatchedWitness } from '@auricle/vault'
import { UsageError } from '../error.ts'

const timeoutMs = 5_000
/** A checkpoint and its signatures. */
const answerMostBytes = 96 * 1024

export function createWatchedWitness({ verifierKey, url }: Config['witnesses'][number]): WatchedWitness {
  return {
    key: parseVerifierKey(verifierKey),
    async latest(origin) {
      const response = await fetch(`${url}/${monitoringPath(origin)}`, {
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.status === 404) {
        await response.body?.cancel()
        return null
      }
      if (!response.ok || response.body === null) throw new UsageError('The witness gives no checkpoint')
      const pieces: Uint8Array[] = []
      let bytes = 0
      for await (const piece of response.body) {
        bytes += piece.length
        if (bytes > answerMostBytes) throw new UsageError('The witness gives more than a checkpoint')
        pieces.push(piece)
      }
      return Buffer.concat(pieces).toString('utf8')
    },
  }
}
