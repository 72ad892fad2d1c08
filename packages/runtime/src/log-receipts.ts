// Receipts of audit events as lines of the log: it lies under other hands than the database that must hold the events.
import type { Logger } from './logger.ts'

interface GivenReceipt {
  readonly tenantId: string
  readonly eventId: string
  readonly note: string
}

interface ReceiptWriter {
  onReceipt(listener: (receipt: GivenReceipt) => void): Disposable
}

/** Until disposed of. */
export function logReceipts({
  writer,
  logger,
}: {
  readonly writer: ReceiptWriter
  readonly logger: Pick<Logger, 'info'>
}): Disposable {
  return writer.onReceipt(({ tenantId, eventId, note }) => {
    logger.info('Receipt', { tenantId, eventId, receipt: Buffer.from(note).toString('base64') })
  })
}
