// The log of work that writes to the catalog anyway: where that cannot be written, the work cannot be done.
import type { Catalog } from '@auricle/catalog'
import { DurableEvent, type EventAppender } from './durable-event.ts'

/** Each event by itself, and into no second sink. */
export function catalogAppender(catalog: Pick<Catalog, 'appendEvents'>): EventAppender {
  return {
    async append(record, options) {
      await catalog.appendEvents([record], options)
      return new DurableEvent(record.tenantId, record.id)
    },
  }
}
