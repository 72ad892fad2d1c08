// A process that does nothing but write events, until it is killed.
import { createCatalog, createPool } from '@auricle/catalog'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { anEvent } from './catalog-fixture.ts'

const { name, settings, tenantId } = JSON.parse(process.env['KILLED_WRITER'] ?? '')
const writer = createEventWriter({ name })
const catalog = createCatalog({ pool: createPool(settings), stamper: writer })
const times = { beatMs: 20, retryMs: 20, refuseMs: 20_000 }
const log = createEventLog({ catalog, writer, store: null, times })

process.stdout.write('writing\n')
const write = async (): Promise<never> => {
  for (;;) await log.append(anEvent(tenantId), {})
}
await Promise.all(Array.from({ length: 16 }, write))
