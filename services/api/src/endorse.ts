// Has the key of this process's receipts signed for, once, when it starts.
import type { KeyService } from '@auricle/keys'
import type { ObjectStore } from '@auricle/objects'
import type { Config, Logger } from '@auricle/runtime'
import { type EventWriter, endorseReceiptKey } from '@auricle/vault'

export interface EndorseOwnParts {
  readonly config: Pick<Config, 'logName'>
  readonly keys: Pick<KeyService, 'ensure' | 'signer'>
  readonly logStore: Pick<ObjectStore, 'put'>
  readonly writer: Pick<EventWriter, 'id' | 'receiptKey'>
  readonly logger: Pick<Logger, 'warn'>
}

/** Receipts hold without it: the log names the key too. So a failure is told and stops nothing. */
export async function endorseOwnReceiptKey(
  { config, keys, logStore, writer, logger }: EndorseOwnParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { id, receiptKey } = writer
  if (receiptKey === null) return
  try {
    const parts = { keys, store: logStore, logName: config.logName }
    await endorseReceiptKey(parts, { id, verifierKey: receiptKey }, { signal })
  } catch (error) {
    signal.throwIfAborted()
    logger.warn('The key of receipts could not be signed for', { error })
  }
}
