// Whether the log keeps what a receipt promised: the event is there, with the hash that was signed for.
import {
  fromBase64,
  leafHash,
  parseNote,
  parseReceipt,
  parseVerifierKey,
  toBase64,
  verifyNote,
} from '@auricle/audit'
import { WriterId } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { isError, VaultError } from '../error.ts'
import type { LateStore } from '../log/late-events.ts'
import { endorserKey, listReceiptKeys } from '../log/receipt-key.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { ProofParts } from './proofs.ts'
import { type ShownEvent, showEvent } from './show.ts'

export interface ReceiptParts extends ProofParts {
  readonly logStore: Pick<LateStore, 'list' | 'read'>
  readonly keys: Pick<KeyService, 'signer'>
  readonly logName: string
}

/**
 * `kept`: the log proves the event. `waiting`: it is stored and not sealed yet. `altered`, `missing`: the receipt is evidence
 * against the log. `unsigned`: nobody vouches for the key that signed it, so it is evidence of nothing.
 */
export type ReceiptVerdict = 'kept' | 'waiting' | 'altered' | 'missing' | 'unsigned'

export interface CheckedReceipt {
  readonly verdict: ReceiptVerdict
  readonly event: string
  readonly at: string
  /** Null where the log has no such event. */
  readonly shown: ShownEvent | null
}

/** Of a receipt as the header of an answer has it. Throws `malformed` for what is none. */
export async function checkReceipt(
  parts: ReceiptParts,
  facts: RequestFacts,
  header: string,
  options: CallOptions,
): Promise<CheckedReceipt> {
  const { note, receipt } = readReceipt(header)
  const checked = { event: receipt.eventId, at: receipt.at }
  const isOwn = receipt.tenantId === facts.actor.tenantId
  if (!isOwn || !(await isVouchedFor(parts, note, options)))
    return { ...checked, verdict: 'unsigned', shown: null }
  const shown = await showEvent(parts, facts, receipt.eventId, options).catch((error: unknown) => {
    if (isError(error, 'VaultError', 'not_found')) return null
    throw error
  })
  return { ...checked, verdict: verdictOf(shown, toBase64(receipt.leafHash)), shown }
}

function verdictOf(shown: ShownEvent | null, promised: string): ReceiptVerdict {
  const leaf = shown?.leaf == null ? null : fromBase64(shown.leaf)
  if (shown === null || leaf === null) return 'missing'
  if (toBase64(leafHash(leaf)) !== promised || shown.finding !== null) return 'altered'
  return shown.proof === null ? 'waiting' : 'kept'
}

function readReceipt(header: string) {
  try {
    const bytes = fromBase64(header.trim())
    if (bytes === null) throw new TypeError('not base64')
    const note = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { note, receipt: parseReceipt(parseNote(note).text) }
  } catch (cause) {
    throw new VaultError('malformed', 'This is no receipt: it is what the header X-Auricle-Receipt held', {
      cause,
    })
  }
}

/** Its key is one that the key service signed for, and the signature is that key's. */
async function isVouchedFor(
  { logStore, keys, logName }: ReceiptParts,
  note: string,
  options: CallOptions,
): Promise<boolean> {
  const name = parseNote(note).signatures[0]?.name ?? ''
  const writer = WriterId.safeParse(name.split('/').at(-1))
  if (!writer.success) return false
  const endorser = endorserKey(logName, await keys.signer({ purpose: 'receipts' }).publicKey(options))
  for await (const endorsement of listReceiptKeys(logStore, { writer: writer.data, ...options })) {
    try {
      const { note: vouched } = await verifyNote(endorsement, [endorser])
      const key = parseVerifierKey(vouched.text.split('\n')[1] ?? '')
      await verifyNote(note, [key])
      return true
    } catch {
      // Another key's, or none: the next one may be right.
    }
  }
  return false
}
