// Runs the fault matrix of both ports and writes docs/faults.md. Usage: npm run faults
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startMetadataServer } from '../emulators/metadata/server.ts'
import { googleEnvironment } from '../harness/emulated-bucket.ts'

await using metadata = await startMetadataServer({
  token: 'caller',
  email: 'caller@auricle-test',
  rotates: true,
})
// Before the clients are loaded, which read it then: roots of the machine would take the place of those of a run.
delete process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH']
Object.assign(process.env, googleEnvironment(metadata.host))
const { googleKeys } = await import('./google-keys.ts')
const { googleObjects } = await import('./google-objects.ts')
const { runMatrix } = await import('./matrix.ts')
const { renderIntroduction, renderPort } = await import('./page.ts')

const page = [
  renderIntroduction(),
  renderPort(await runMatrix(googleObjects)),
  renderPort(await runMatrix(googleKeys)),
]
await writeFile(join(import.meta.dirname, '../../docs/faults.md'), page.join('\n'))
