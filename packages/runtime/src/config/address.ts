// The addresses that settings give, as text and as parts: a folder or a bucket, a key ring, an endpoint, a queue.
import { isAbsolute } from 'node:path'
import { z } from 'zod'

export const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path')

export const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL such as postgres://user:password@host/database',
})

/** `smtp://` asks for TLS before anything else, `smtps://` begins with it; neither sends anything without. */
export const smtpUrl = z.url({
  protocol: /^smtps?$/,
  error: 'must be a URL such as smtp://user:password@mail.clinic.example:587',
})

const isOfThisMachine = (hostname: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)

/** Only https may leave the machine: passwords, tokens and recordings travel over it. */
export const httpsUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL such as https://auricle.example.org' })
  .refine(text => {
    if (!URL.canParse(text)) return true
    const { protocol, hostname } = new URL(text)
    return protocol === 'https:' || isOfThisMachine(hostname)
  }, 'must be https, unless it is of this machine alone')
  .refine(text => !/[?#]/.test(text), 'must have neither query nor fragment')
  .transform(text => text.replace(/\/+$/, ''))

/** Names without dots and with them: https://cloud.google.com/storage/docs/buckets#naming. */
const bucketName = /^[a-z0-9](?:[a-z0-9_.-]{1,220})[a-z0-9]$/
const bucketPrefix = /^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+)*$/

export type StoreAddress =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'bucket'; readonly bucket: string; readonly prefix: string }

/** An absolute path, or `gs://bucket` with an optional folder-like prefix of `[a-z0-9_.-]` segments. */
export const storeAddress = z.string().transform((text, context): StoreAddress => {
  if (isAbsolute(text)) return { kind: 'folder', folder: text }
  const [, bucket = '', prefix = ''] = /^gs:\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(text) ?? []
  const isPrefix = prefix === '' || (bucketPrefix.test(prefix) && !/(^|\/)\.{1,2}(\/|$)/.test(prefix))
  if (bucketName.test(bucket) && isPrefix) return { kind: 'bucket', bucket, prefix }
  context.addIssue({
    code: 'custom',
    message: 'must be an absolute path, or a bucket such as gs://recordings-of-a-clinic',
  })
  return z.NEVER
})

const keyRing =
  /^gcp-kms:\/\/(projects\/[a-z][a-z0-9:.-]+\/locations\/[a-z0-9-]+\/keyRings\/[A-Za-z0-9_-]{1,63})$/

/** `gcp-kms://` and the full name of a Cloud KMS key ring; gives the name. */
export const keyRingAddress = z.string().transform((text, context) => {
  const name = keyRing.exec(text)?.[1]
  if (name !== undefined) return name
  context.addIssue({
    code: 'custom',
    message:
      'must be a key ring such as gcp-kms://projects/keys-of-a-clinic/locations/us-east4/keyRings/auricle',
  })
  return z.NEVER
})

export interface HostAddress {
  readonly host: string
  readonly port: number
}

const httpsPort = 443

/** `host` or `host:port`; always spoken to by TLS. */
export const tlsHost = z.string().transform((text, context): HostAddress => {
  const [, host, port] = /^([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host !== undefined) return { host, port: port === undefined ? httpsPort : Number(port) }
  context.addIssue({ code: 'custom', message: 'must be a host, with or without a port' })
  return z.NEVER
})

/** Most characters of a log's name: what follows it in the origins of logs has room beside it. */
const logNameMost = 100

/** What the origins of this deployment's logs begin with (C2SP tlog-checkpoint): like a host, no port. */
export const logName = z
  .string()
  .max(logNameMost)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
    'must be like the name of a host',
  )

export interface WitnessAddress {
  /** A verifier key (C2SP signed-note), as text. */
  readonly verifierKey: string
  /** Without a trailing slash. */
  readonly url: string
}

const verifierKey = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/

/** `verifier-key url`, with commas between several. */
export const witnesses = z.string().transform((text, context): readonly WitnessAddress[] => {
  return text.split(',').map(one => {
    const [key = '', address = '', ...more] = one.trim().split(/\s+/)
    const url = httpsUrl.safeParse(address)
    if (verifierKey.test(key) && url.success && more.length === 0) return { verifierKey: key, url: url.data }
    context.addIssue({
      code: 'custom',
      message: 'must be verifier keys, each with a space and an https URL behind it, and commas between',
    })
    return z.NEVER
  })
})

export const redisUrl = z.url({
  protocol: /^rediss?$/,
  error: 'must be a URL such as rediss://user:password@host:6379',
})
