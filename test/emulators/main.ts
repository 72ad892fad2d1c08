// The emulators as a process of their own, for runs in which our services are killed and started around them.
// Usage: node test/emulators/main.ts NAME[=OPTIONS] ..., where NAME is a server below and OPTIONS are its as JSON:
//   node test/emulators/main.ts 'gcs={"buckets":{"calls":{"objectRetention":true}}}' 'metadata={"token":"ingest","email":"i@x"}'
// Prints one line of JSON with the addresses when all are up, and ends on SIGTERM or SIGINT.
import { once } from 'node:events'
import { type Controlled, startControl } from './control.ts'
import type { BucketSettings } from './gcs/bucket.ts'
import { controlGcs } from './gcs/control.ts'
import { type GcsEmulatorOptions, startGcsEmulator } from './gcs/server.ts'
import { controlKms } from './kms/control.ts'
import { type KmsEmulatorOptions, startKmsEmulator } from './kms/server.ts'
import { type MetadataServerOptions, startMetadataServer } from './metadata/server.ts'

interface Started {
  readonly server: AsyncDisposable
  readonly address: string
  readonly controlled: Controlled | null
}

/** A server that can be started has a row here. */
const starters: Readonly<Record<string, (options: unknown) => Promise<Started>>> = {
  async gcs(options) {
    const { buckets = {}, ...rest } = options as GcsEmulatorOptions & {
      readonly buckets?: Readonly<Record<string, BucketSettings>>
    }
    const server = await startGcsEmulator(rest)
    for (const [name, settings] of Object.entries(buckets)) server.createBucket(name, settings)
    return { server, address: server.url, controlled: controlGcs(server) }
  },
  async kms(options) {
    const server = await startKmsEmulator(options as KmsEmulatorOptions)
    return { server, address: server.address, controlled: controlKms(server) }
  },
  async metadata(options) {
    const server = await startMetadataServer(options as MetadataServerOptions)
    return { server, address: server.host, controlled: null }
  },
}

await using stack = new AsyncDisposableStack()
const controlled = new Map<string, Controlled>()
/** By name; several of one name in the order of the arguments. */
const addresses: Record<string, string[]> = {}
for (const argument of process.argv.slice(2)) {
  const [, name = '', options = '{}'] = /^(\w+)(?:=(.*))?$/s.exec(argument) ?? []
  const start = Object.hasOwn(starters, name) ? starters[name] : undefined
  if (start === undefined) throw new Error(`There is no server for the argument ${argument}`)
  const started = await start(JSON.parse(options))
  stack.use(started.server)
  const named = addresses[name] ?? []
  addresses[name] = [...named, started.address]
  if (started.controlled !== null) controlled.set(name, started.controlled)
}
const control = stack.use(await startControl(controlled))
process.stdout.write(`${JSON.stringify({ control: control.url, ...addresses })}\n`)
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
