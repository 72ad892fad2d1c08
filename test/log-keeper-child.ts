// Keeps a log until it is killed: seals and publishes what its parent names on standard input.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createCatalog, createPool, type DatabaseSettings } from '@auricle/catalog'
import { createLocalKeyService } from '@auricle/keys'
import { createFolderStore, type ObjectStore } from '@auricle/objects'
import { createEventWriter, createLogKeeper, createWitnesses } from '@auricle/vault'

const told = JSON.parse(await text(process.stdin)) as {
  readonly database: DatabaseSettings
  readonly folder: string
  readonly name: string
  /** It kills itself as the store has created the first object whose key matches. */
  readonly dieAfter?: string
}
const pool = createPool(told.database)
const catalog = createCatalog({ pool, stamper: createEventWriter({ name: 'child' }) })
const folder = createFolderStore({ folder: join(told.folder, 'store') })
const store: ObjectStore = {
  ...folder,
  async put(key, source, options) {
    const result = await folder.put(key, source, options)
    if (told.dieAfter !== undefined && new RegExp(told.dieAfter).test(key))
      process.kill(process.pid, 'SIGKILL')
    return result
  },
}
const keeper = createLogKeeper({
  ...{ catalog, store, name: told.name, watch: {} },
  keys: await createLocalKeyService({ file: join(told.folder, 'keyring.json') }),
  witnesses: createWitnesses({ witnesses: [] }),
})
for (;;) {
  while (await keeper.seal({}));
  await keeper.publish({})
}
