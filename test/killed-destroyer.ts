// A process that destroys what is ready until it is killed, by itself, at the step that it is told.
import { createCatalog, createPool } from '@auricle/catalog'
import { createKeyUses, createLocalKeyService, keyUsesFolder } from '@auricle/keys'
import { createFolderStore } from '@auricle/objects'
import { createEventLog, createEventWriter, createTenantSecrets, destroyReady } from '@auricle/vault'
import { stepping } from './dying.ts'
import { guardedKeys } from './guarded-keys.ts'

const { settings, folder, now, dieAt } = JSON.parse(process.env['KILLED_DESTROYER'] ?? '')
const writer = createEventWriter({ name: 'killed' })
const pool = createPool(settings)
const catalog = createCatalog({ pool, stamper: writer })
const file = `${folder}/keyring.json`
const keys = guardedKeys(await createLocalKeyService({ file }), createKeyUses(keyUsesFolder(file)))
const log = createEventLog({ catalog, writer, store: null })
const clock = { now: () => new Date(now).getTime() }
const stores = {
  primary: createFolderStore({ folder: `${folder}/objects`, ...clock }),
  recovery: createFolderStore({ folder: `${folder}/recovery`, ...clock }),
}
const parts = {
  ...{ catalog, stores, secrets: createTenantSecrets({ catalog, keys, log }), backupDays: 35 },
  now: () => new Date(now),
}
let steps = 0
const counts = await destroyReady(
  stepping(parts, () => {
    steps++
    if (steps === dieAt) process.kill(process.pid, 'SIGKILL')
  }),
  {},
)
process.stdout.write(JSON.stringify({ ...counts, steps }))
await log[Symbol.asyncDispose]()
await pool.end()
