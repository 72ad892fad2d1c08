// An authenticator and its browser in software, which really sign, and lie where they are told to.
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  sign,
} from 'node:crypto'

export type KeyKind = 'ES256' | 'EdDSA' | 'RS256' | 'none' | 'P-384' | 'RSA-1024' | 'ES256K'

/** What the two say; each can be given to be other than the truth. */
export interface Said {
  readonly origin: string
  readonly rpId: string
  readonly type: string
  readonly challenge: string
  /** User present 1, user verified 4, can be backed up 8, is backed up 16, credential 64. */
  readonly flags: number
  readonly signCount: number
  readonly userHandle: string | null
  readonly format: string
  /** Into the attestation statement, by name. */
  readonly statement: ReadonlyMap<string, Cbor>
  readonly clientData: Readonly<Record<string, unknown>>
}

export type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

/** As the browser's `toJSON` gives it. */
interface Answer {
  readonly id: string
  readonly response: Readonly<Record<string, unknown>>
}

export interface Authenticator {
  readonly credentialId: string
  register(challenge: string, lies?: Partial<Said>): Answer
  assert(challenge: string, lies?: Partial<Said>): Answer
}

export const testOrigin = 'https://vault.example.org'
export const testRpId = 'vault.example.org'
export const flag = { present: 1, verified: 4, canBackUp: 8, backedUp: 16, credential: 64 } as const

export function createAuthenticator(
  kind: KeyKind = 'ES256',
  options: { userHandle?: string; counts?: boolean } = {},
): Authenticator {
  const { publicKey, privateKey } = newPair(kind)
  const id = randomBytes(32)
  const credentialId = id.toString('base64url')
  let count = 0
  const said = (type: string, challenge: string, flags: number, lies: Partial<Said>): Said => {
    if (options.counts !== false) count += 1
    return {
      origin: testOrigin,
      rpId: testRpId,
      type,
      challenge,
      flags,
      signCount: count,
      userHandle: options.userHandle ?? null,
      format: 'none',
      statement: new Map(),
      clientData: {},
      ...lies,
    }
  }
  const answer = (response: Record<string, unknown>) => ({
    id: credentialId,
    rawId: credentialId,
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response,
  })
  return {
    credentialId,
    register: (challenge, lies = {}) => {
      const says = said('webauthn.create', challenge, flag.present | flag.verified | flag.credential, lies)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const key = cbor(coseKey(kind, publicKey))
      const authData = Buffer.concat([authenticatorData(says), Buffer.alloc(16), length, id, key])
      const clientData = clientDataOf(says)
      const statement = new Map(says.statement)
      if (statement.get('sig') === 'own') {
        statement.set('sig', signed(kind, privateKey, Buffer.concat([authData, sha256(clientData)])))
      }
      const object = new Map<string, Cbor>([
        ['fmt', says.format],
        ['attStmt', statement],
        ['authData', authData],
      ])
      return answer({
        clientDataJSON: clientData.toString('base64url'),
        attestationObject: cbor(object).toString('base64url'),
        transports: ['internal', 'hybrid'],
      })
    },
    assert: (challenge, lies = {}) => {
      const says = said('webauthn.get', challenge, flag.present | flag.verified, lies)
      const authData = authenticatorData(says)
      const clientData = clientDataOf(says)
      return answer({
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signed(kind, privateKey, Buffer.concat([authData, sha256(clientData)])).toString(
          'base64url',
        ),
        ...(says.userHandle === null
          ? {}
          : { userHandle: Buffer.from(says.userHandle).toString('base64url') }),
      })
    },
  }
}

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest()

function authenticatorData(says: Said): Buffer {
  const rest = Buffer.alloc(5)
  rest.writeUInt8(says.flags)
  rest.writeUInt32BE(says.signCount, 1)
  return Buffer.concat([sha256(says.rpId), rest])
}

function clientDataOf({ type, challenge, origin, clientData }: Said): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...clientData }))
}

function newPair(kind: KeyKind): KeyPairKeyObjectResult {
  if (kind === 'EdDSA') return generateKeyPairSync('ed25519')
  if (kind === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (kind === 'RSA-1024') return generateKeyPairSync('rsa', { modulusLength: 1024 })
  if (kind === 'P-384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  return generateKeyPairSync('ec', { namedCurve: kind === 'ES256K' ? 'secp256k1' : 'P-256' })
}

function signed(kind: KeyKind, privateKey: KeyObject, data: Uint8Array): Buffer {
  return kind === 'none' ? Buffer.from([0]) : sign(kind === 'EdDSA' ? null : 'sha256', data, privateKey)
}

/** RFC 9053; `none` is what an attacker would like there to be. */
function coseKey(kind: KeyKind, publicKey: KeyObject): Cbor {
  const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  if (kind === 'EdDSA') return new Map<number, Cbor>([...keyHead(1, -8), [-1, 6], [-2, bytes(x)]])
  if (kind === 'RS256' || kind === 'RSA-1024')
    return new Map<number, Cbor>([...keyHead(3, -257), [-1, bytes(n)], [-2, bytes(e)]])
  const curve = { 'P-384': 2, ES256K: 8 }[kind as string] ?? 1
  const algorithm = { none: 0, ES256K: -47 }[kind as string] ?? -7
  return new Map<number, Cbor>([...keyHead(2, algorithm), [-1, curve], [-2, bytes(x)], [-3, bytes(y)]])
}

function keyHead(kind: number, algorithm: number): readonly (readonly [number, Cbor])[] {
  return [
    [1, kind],
    [3, algorithm],
  ]
}

/** The little of RFC 8949 that is needed. */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])])
  }
  const items = value as readonly Cbor[]
  return Buffer.concat([head(4, items.length), ...items.map(cbor)])
}

function head(major: number, count: number): Buffer {
  const kind = major << 5
  if (count < 24) return Buffer.from([kind | count])
  if (count < 256) return Buffer.from([kind | 24, count])
  return Buffer.from([kind | 25, count >> 8, count & 255])
}
