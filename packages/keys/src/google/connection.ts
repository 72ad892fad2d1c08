// The client of Cloud KMS: opened by the first call that needs it, silent, closed once.
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { Settings } from './options.ts'

export interface Connection extends AsyncDisposable {
  readonly isClosed: boolean
  /** Throws `unavailable` when nobody's credentials can be had; the next call tries again. */
  client(): Promise<KeyManagementServiceClient>
  /** The credentials in use count as expired, so that the next call fetches others. */
  renewCredentials(): Promise<void>
}

const channelOptions = {
  // A connection that broke without a word is found out by these, not by the callers' deadlines one after another.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
}

/** The client writes every request, keys included, to standard error where an environment variable asks for it. */
const silent = { info: () => undefined }

export function createConnection({
  endpoint,
  authClient,
}: Pick<Settings, 'endpoint' | 'authClient'>): Connection {
  let opening: Promise<KeyManagementServiceClient> | null = null
  let isClosed = false

  async function open(): Promise<KeyManagementServiceClient> {
    const client = new KeyManagementServiceClient({
      ...channelOptions,
      ...(endpoint === null ? {} : { apiEndpoint: endpoint.host, port: endpoint.port }),
      ...(authClient === null ? {} : { authClient }),
    })
    Object.assign(client, { _log: silent })
    // Its methods do this too, but leave a failure to nobody, which would end the process.
    await client.initialize()
    return client
  }

  return {
    get isClosed() {
      return isClosed
    },

    async client() {
      if (isClosed) throw new KeyError('unavailable', 'The key service is closed')
      opening ??= open()
      const mine = opening
      try {
        return await mine
      } catch (cause) {
        if (opening === mine) opening = null
        throw new KeyError('unavailable', 'No credentials for Cloud KMS can be had now', { cause })
      }
    },

    async renewCredentials() {
      const client = await (await this.client()).auth.getClient()
      client.credentials.expiry_date = 1
    },

    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      const client = await opening?.catch(() => null)
      await client?.close()
    },
  }
}
