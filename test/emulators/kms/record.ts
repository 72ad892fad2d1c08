// Requests written down, for whoever wants to know what a key service gets to see.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

/** Text as JSON; bytes as they are, one after another. */
export function record(folder: string, method: string, request: Readonly<Record<string, unknown>>): void {
  const isBytes = (value: unknown) => value instanceof Uint8Array
  const text = Object.entries(request).filter(([, value]) => !isBytes(value))
  appendFileSync(join(folder, 'kms.jsonl'), `${JSON.stringify({ method, ...Object.fromEntries(text) })}\n`)
  for (const [name, value] of Object.entries(request))
    if (value instanceof Uint8Array) appendFileSync(join(folder, `kms-${method}-${name}.bin`), value)
}
