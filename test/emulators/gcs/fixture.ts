// The real client against the emulator, as somebody or as nobody, with retries that a test can wait for.
import { type File, type SaveOptions, Storage, type StorageOptions } from '@google-cloud/storage'
import type { GcsEmulator } from './server.ts'

/** The client does not start with less. */
const shortestRetrySeconds = 1

interface ClientOptions extends Omit<StorageOptions, 'token'> {
  readonly token?: string | null
}

export function client(
  gcs: Pick<GcsEmulator, 'url'>,
  { token = null, ...options }: ClientOptions = {},
): Storage {
  const storage = new Storage({
    apiEndpoint: gcs.url,
    projectId: 'auricle-test',
    retryOptions: { maxRetryDelay: shortestRetrySeconds },
    ...options,
  })
  if (token !== null) {
    storage.interceptors.push({
      request(asked) {
        const headers = { ...asked.headers, authorization: `Bearer ${token}` }
        // Its type forbids the undefined members that it hands over itself.
        return { ...asked, headers } as never
      },
    })
  }
  return storage
}

/** What the client makes of a refusal. */
export interface Refused {
  readonly code: unknown
  readonly reason: unknown
  readonly message: string
}

export async function refused(attempt: Promise<unknown>): Promise<Refused> {
  try {
    await attempt
  } catch (error) {
    const { code, message, errors } = error as { code: unknown; message: string; errors?: unknown }
    const [first] = Array.isArray(errors) ? errors : []
    return { code, reason: (first as { reason?: unknown } | undefined)?.reason ?? null, message }
  }
  throw new Error('It was not refused')
}

export const createOnly = { preconditionOpts: { ifGenerationMatch: 0 } } satisfies SaveOptions

/** Of the object that the file was last told of. */
export const generationOf = (file: File): string => String(file.metadata.generation)
