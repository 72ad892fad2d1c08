// Terraform and the application mean the same keys and the same settings.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newTenantId } from '../../packages/contract/src/index.ts'
import { keyResource } from '../../packages/keys/src/google/resource-names.ts'
import { type Configuration, readConfiguration } from './configuration.ts'
import { type Rights, readRights } from './rights.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const ring = 'projects/p/locations/europe/keyRings/r'
const tenantId = newTenantId()
const files = new Map(
  globSync('terraform/**/*.tf', { cwd: root }).map(path => [path, readFileSync(join(root, path), 'utf8')]),
)

let configuration: Configuration
let rights: Rights | null = null

before(async () => {
  configuration = await readConfiguration(files)
  const blueprint = configuration.modules.get('terraform/modules/blueprint')
  if (blueprint !== undefined) rights = readRights(blueprint).rights
})

describe('the keys of terraform/', () => {
  const idOf = (name: Parameters<typeof keyResource>[1]) => keyResource(ring, name).id

  it('reach the keys of tenants that the application makes, each kind by its own ending', () => {
    const endings = Object.entries(rights?.tenant_key_endings ?? {})
    assert.equal(endings.length, 2)
    const ids = {
      recordings: idOf({ purpose: 'recordings', tenantId }),
      connectors: idOf({ purpose: 'connectors', tenantId }),
      search: idOf({ purpose: 'search', tenantId }),
      identity: idOf({ purpose: 'identity' }),
      checkpoints: idOf({ purpose: 'checkpoints' }),
      receipts: idOf({ purpose: 'receipts' }),
      certificates: idOf({ purpose: 'certificates' }),
    }
    for (const [purpose, ending] of endings) {
      const reached = Object.entries(ids).filter(([, id]) => id.endsWith(ending))
      assert.deepEqual(
        reached.map(([kind]) => kind),
        [purpose],
      )
    }
  })

  it('have the names that the application looks for', () => {
    const made = [...configuration.modules.values()]
      .flatMap(({ resources }) => resources)
      .filter(({ type }) => type === 'google_kms_crypto_key')
      .map(({ body }) => body['name'])
    const purposes = ['certificates', 'checkpoints', 'identity', 'receipts'] as const
    assert.deepEqual(
      made.sort(),
      purposes.map(purpose => idOf({ purpose })),
    )
  })
})

describe('the settings of terraform/', () => {
  it('are settings that there are', () => {
    const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    const listed = Array.from(page.matchAll(/^\| `([A-Z_]+)` \|/gm), ([, name]) => name)
    const printed = new Set([...files.values()].flatMap(text => text.match(/\bAURICLE_[A-Z_]+\b/g) ?? []))
    assert.ok(printed.size >= 5)
    for (const name of printed) assert.ok(listed.includes(name), name)
  })
})
