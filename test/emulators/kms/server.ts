// An emulated Cloud KMS on a socket: TLS, gRPC, callers and their permissions, real cryptography, faults by script.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { bearerToken, type Callers, createIdentities, type Uses } from '../callers.ts'
import { createFaultScript, type Fault, type FaultScript } from '../faults.ts'
import { administrationOf } from './administration.ts'
import { type Binding, createBindings } from './bindings.ts'
import { makeCertificate } from './certificate.ts'
import { cryptographyOf } from './cryptography.ts'
import { openGate } from './gate.ts'
import { createKeys, type Version, type VersionState } from './keys.ts'
import { permissionFor, resourceOf } from './permissions.ts'
import { loadService } from './protocol.ts'
import { record } from './record.ts'
import { Code, denied, Refusal, serviceErrorOf, unauthenticated } from './status.ts'

export interface KmsEmulatorOptions {
  /** Unix milliseconds. Default: the system's. */
  readonly clock?: (() => number) | undefined
  readonly callers?: Callers | undefined
  readonly seed?: number | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** A folder in which every request is written down as it was received. Default: nothing is. */
  readonly recordTo?: string | undefined
  /** Key rings that are there from the start. */
  readonly keyRings?: readonly string[] | undefined
  /** How long a version that is not made in software for encryption is PENDING_GENERATION. Default: 0. */
  readonly generationMs?: number | undefined
  /** Algorithms that the location does not offer at a protection level, such as `HSM EC_SIGN_ED25519`. Default: none. */
  readonly notOffered?: readonly string[] | undefined
}

type Message = Record<string, unknown>

/** Changes a message on its way; what it returns goes on. */
export interface Tampering {
  request?(method: string, message: Message): Message
  response?(method: string, message: Message): Message
}

export interface VersionView {
  readonly number: number
  readonly state: VersionState
  readonly isPrimary: boolean
}

export interface KmsEmulator extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** The same for TLS, which wants a name. */
  readonly endpoint: { readonly host: string; readonly port: number }
  /** PEM. */
  readonly rootCertificate: string
  readonly rootCertificateFile: string
  readonly faults: FaultScript
  /** How often each method was called, refused calls included. */
  readonly calls: Readonly<Record<string, number>>
  /** The same of wraps and unwraps, by key and additional data. */
  readonly bindings: readonly Binding[]
  /** Which permissions were needed, and by whom. */
  readonly uses: Uses
  /** Calls that the caller ended before they were answered. */
  readonly cancelled: number
  /** Null: nothing is changed. */
  tampering: Tampering | null
  createKeyRing(name: string): void
  /** Null where there is no such key. */
  versionsOf(key: string): readonly VersionView[] | null
  /** States of a version by its full name, as an administrator sets them. */
  disable(version: string): void
  enable(version: string): void
  scheduleDestroy(version: string): void
  restore(version: string): void
  /** The material is gone at once, whatever was scheduled. */
  destroy(version: string): void
  /** Makes an older version the primary one. */
  setPrimary(key: string, version: number): void
  /** The token counts as expired from now on. */
  expireToken(token: string): void
  cutAllConnections(): void
  resetCalls(): void
}

/** What is corrupted of each answer, and its checksum. */
const payloads: Readonly<Record<string, { readonly bytes: string; readonly checksum: string }>> = {
  Encrypt: { bytes: 'ciphertext', checksum: 'ciphertextCrc32c' },
  Decrypt: { bytes: 'plaintext', checksum: 'plaintextCrc32c' },
  MacSign: { bytes: 'mac', checksum: 'macCrc32c' },
  AsymmetricSign: { bytes: 'signature', checksum: 'signatureCrc32c' },
  GetPublicKey: { bytes: 'pem', checksum: 'pemCrc32c' },
}

/** Less than any answer has on the wire, so that a cut one never arrives whole. */
const cutBytesMost = 20

export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const { clock = Date.now, callers = null, seed = 1, port = 0, keyRings = [] } = options
  const { generationMs = 0, notOffered = [], recordTo } = options
  const keys = createKeys({ clock, generationMs, notOffered })
  for (const ring of keyRings) keys.createRing(ring)
  const identities = createIdentities(callers)
  const faults = createFaultScript({ seed })
  const methods = { ...cryptographyOf(keys), ...administrationOf(keys) }
  const closing = new AbortController()
  const bindings = createBindings()
  let calls: Record<string, number> = {}
  let cancelled = 0
  let tampering: Tampering | null = null

  await using stack = new AsyncDisposableStack()
  const certificate = stack.use(await makeCertificate())
  const server = new Server({ 'grpc.max_receive_message_length': 4_194_304 })

  async function answer(
    method: string,
    handle: (request: never) => object,
    call: ServerUnaryCall<Message, Message>,
  ): Promise<Message> {
    calls[method] = (calls[method] ?? 0) + 1
    const received = call.request
    if (recordTo !== undefined) record(recordTo, method, received)
    const resource = resourceOf(received)
    bindings.note(method, resource, received)
    const token = bearerToken(String(call.metadata.get('authorization')[0] ?? ''))
    const fault = faults.take({ operation: method, resource }, fault => isPossible(fault, method))
    await injectBefore(fault, token, call)
    const identity = identities.identify(token)
    if (identity === null) throw unauthenticated()
    const permission = permissionFor(method)
    if (permission !== null && !identity.use(permission, resource)) throw denied(permission, resource)
    const request = tampering?.request?.(method, received) ?? received
    // A refusal gets lost on its way like any other answer.
    using _ = { [Symbol.dispose]: () => injectAfter(fault, call) }
    const response = handle(request as never) as Message
    const corrupted = fault?.type === 'corrupt' ? corrupt(method, response, fault.what) : response
    return tampering?.response?.(method, corrupted) ?? corrupted
  }

  async function injectBefore(
    fault: Fault | null,
    token: string | null,
    call: ServerUnaryCall<Message, Message>,
  ): Promise<void> {
    if (fault?.type === 'status') throw refusalOf(fault)
    if (fault?.type === 'expired-token' && token !== null) identities.expire(token)
    if (fault?.type === 'slow') {
      await sleep(fault.ms, undefined, { signal: closing.signal })
      if (call.cancelled) throw new Refusal(Code.CANCELLED, 'The caller went away.')
    }
    if (fault?.type === 'cut' && fault.side === 'request') {
      gate.cut(call.getPeer())
      throw new Refusal(Code.UNAVAILABLE, 'The connection was cut.')
    }
  }

  function injectAfter(fault: Fault | null, call: ServerUnaryCall<Message, Message>): void {
    if (fault?.type === 'lost-acknowledgement') gate.cut(call.getPeer())
    if (fault?.type === 'cut') gate.cutAfter(call.getPeer(), Math.min(fault.afterBytes, cutBytesMost))
  }

  const implementation: UntypedServiceImplementation = Object.fromEntries(
    Object.entries(methods).map(([method, handle]) => [
      method,
      (call: ServerUnaryCall<Message, Message>, respond: sendUnaryData<Message>) => {
        let isAnswered = false
        // Also said of calls that ended well.
        call.on('cancelled', () => {
          if (!isAnswered) cancelled++
        })
        const respondOnce: sendUnaryData<Message> = (error, response) => {
          isAnswered = true
          respond(error, response)
        }
        answer(method, handle, call).then(
          response => respondOnce(null, response),
          (error: unknown) => respondOnce(serviceErrorOf(error)),
        )
      },
    ]),
  )
  server.addService(loadService(), implementation)
  const innerPort = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createSsl(null, [
      { private_key: certificate.key, cert_chain: certificate.certificate },
    ])
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  stack.defer(() => server.forceShutdown())
  const gate = stack.use(await openGate(innerPort, port))
  stack.defer(() => closing.abort())
  const opened = stack.move()

  const versionOf = (name: string): Version => keys.version(name)
  return {
    address: `127.0.0.1:${gate.port}`,
    endpoint: { host: 'localhost', port: gate.port },
    rootCertificate: certificate.certificate.toString(),
    rootCertificateFile: certificate.file,
    faults,
    get calls() {
      return { ...calls }
    },
    get bindings() {
      return bindings.list()
    },
    uses: identities.uses,
    get cancelled() {
      return cancelled
    },
    get tampering() {
      return tampering
    },
    set tampering(wanted) {
      tampering = wanted
    },
    createKeyRing: name => keys.createRing(name),
    versionsOf(name) {
      if (!keys.has(name)) return null
      const key = keys.key(name)
      return key.versions.map(version => ({
        number: version.number,
        state: version.state,
        isPrimary: version === key.primary,
      }))
    },
    disable: name => keys.setEnabled(versionOf(name), 'DISABLED'),
    enable: name => keys.setEnabled(versionOf(name), 'ENABLED'),
    scheduleDestroy: name => keys.scheduleDestroy(versionOf(name)),
    restore: name => keys.restore(versionOf(name)),
    destroy(name) {
      const version = versionOf(name)
      version.state = 'DESTROYED'
      version.destroyedAt = clock()
      version.material = null
    },
    setPrimary(key, version) {
      keys.setPrimary(key, String(version))
    },
    expireToken: token => identities.expire(token),
    cutAllConnections: () => gate.cutAll(),
    resetCalls() {
      calls = {}
      bindings.clear()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function isPossible(fault: Fault, method: string): boolean {
  return fault.type !== 'corrupt' || Object.hasOwn(payloads, method)
}

function refusalOf(fault: Extract<Fault, { type: 'status' }>): Refusal {
  const code = fault.code ?? codeOfStatus[fault.status ?? 0] ?? Code.UNAVAILABLE
  const sentence =
    code === Code.RESOURCE_EXHAUSTED
      ? "Quota exceeded for quota metric 'Cryptographic requests'."
      : 'The service is currently unavailable.'
  return new Refusal(code, sentence, fault.retryAfterSeconds ?? null)
}

/** For rules that are written for HTTP as well. */
const codeOfStatus: Readonly<Record<number, Code>> = {
  401: Code.UNAUTHENTICATED,
  403: Code.PERMISSION_DENIED,
  404: Code.NOT_FOUND,
  429: Code.RESOURCE_EXHAUSTED,
  500: Code.INTERNAL,
  503: Code.UNAVAILABLE,
  504: Code.DEADLINE_EXCEEDED,
}

function corrupt(method: string, response: Message, what: 'bytes' | 'checksum'): Message {
  const payload = payloads[method]
  if (payload === undefined) return response
  if (what === 'checksum') {
    const { value } = response[payload.checksum] as { value: string }
    return { ...response, [payload.checksum]: { value: String((Number(value) ^ 1) >>> 0) } }
  }
  const whole = response[payload.bytes]
  const bytes = Buffer.from(whole as Buffer)
  const at = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  return { ...response, [payload.bytes]: typeof whole === 'string' ? bytes.toString() : bytes }
}
