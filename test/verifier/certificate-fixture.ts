// Certificates of destruction in memory, made from docs/certificate.md without the code that the vault makes them with.
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { AuditEvent, encodeLeaf } from '@auricle/audit'
import { inclusionProof, leafHash, rootOf } from './merkle.ts'
import { type Random, randomFrom } from './random.ts'
import { ed25519Key, logSigner, p256Key, type Signer, signedNote, witnessSigner } from './signing-keys.ts'

const vaultName = 'vault.example'

export interface CertificateShape {
  readonly algorithm: 'EdDSA' | 'ES256'
  readonly witnesses?: number
  /** How many of them have to sign. Default: all. */
  readonly quorum?: number
  /** Whether the policy names the key of the tenant's log. */
  readonly namesLogKey?: boolean
  /** Leaves of the tenant's log. */
  readonly leaves?: number
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
export type Claims = { readonly [name: string]: Json }

export interface MadeCertificate {
  readonly claims: Claims
  readonly jws: string
  readonly jwks: string
  readonly policy: string
  readonly shape: CertificateShape
  /** The same by the key of certificates, whatever it says. */
  sign(claims: Claims, header?: Claims): string
  /** The same claims, proven by a log in which this is the event; `forger` signs what is given to it. */
  prove(claims: Claims, change?: ProofChange): Claims
}

export interface ProofChange {
  readonly event?: (event: AuditEvent) => AuditEvent
  /** Another key of the tenant's log. */
  readonly logKey?: KeyObject
  readonly anchorKey?: KeyObject
  /** What the anchor holds in place of the log's root. */
  readonly anchoredRoot?: Buffer
}

const dayMs = 86_400_000
const leavesDefault = 23
const pick = (random: Random, least: number, most: number) => least + random.int(most - least + 1)

export function makeCertificate(seed: number, shape: CertificateShape): MadeCertificate {
  const random = randomFrom(seed)
  const said = claimsOf(random)
  const keys = {
    certificates: shape.algorithm === 'ES256' ? p256Key() : ed25519Key(random),
    log: ed25519Key(random),
    anchor: ed25519Key(random),
    witnesses: Array.from({ length: shape.witnesses ?? 0 }, () => ed25519Key(random)),
  }
  const year = String(said['destroyedAt']).slice(0, 4)
  const origin = `${vaultName}/t/${said['tenant']}/${year}`
  const witnesses = keys.witnesses.map((key, index) => witnessSigner(`w${index}.example`, key, 1_800_000_000))
  const logKey = logSigner(origin, keys.log)
  const anchorKey = logSigner(`${vaultName}/anchor`, keys.anchor)
  const { jwk, kid } = jwkOf(keys.certificates)
  const quorum = shape.quorum ?? witnesses.length
  const policy = [
    ...[...((shape.namesLogKey ?? true) ? [logKey.text] : []), anchorKey.text].map(text => `log ${text}`),
    ...witnesses.map(({ text }, index) => `witness w${index} ${text}`),
    ...(quorum === 0
      ? ['quorum none']
      : [`group those ${quorum} ${witnesses.map((_, index) => `w${index}`).join(' ')}`, 'quorum those']),
    '',
  ].join('\n')

  const signClaims = (claims: Claims, header: Claims = {}): string => {
    const head = { alg: shape.algorithm, kid, typ: 'auricle-certificate+jwt', ...header }
    const text = `${encoded(spelled(head))}.${encoded(spelled(claims))}`
    return `${text}.${signatureOf(keys.certificates, text).toString('base64url')}`
  }
  const prove = (claims: Claims, change: ProofChange = {}): Claims => {
    const { iat: _iat, iss: _iss, log: _log, ...told } = claims
    const chance = randomFrom(seed + 7)
    return {
      ...told,
      iat: Math.floor(Date.parse(String(said['destroyedAt'])) / 1000) + 90,
      iss: vaultName,
      log: proofOf(told, origin, chance, shape.leaves ?? leavesDefault, change, {
        log: change.logKey === undefined ? logKey : logSigner(origin, change.logKey),
        anchor:
          change.anchorKey === undefined ? anchorKey : logSigner(`${vaultName}/anchor`, change.anchorKey),
        witnesses,
      }),
    }
  }
  const claims = prove(said)
  const other = jwkOf(ed25519Key(random)).jwk
  const jwks = JSON.stringify({ keys: [other, { kty: 'RSA', kid, n: 'AQAB', e: 'AQAB' }, jwk] })
  return { claims, jws: signClaims(claims), jwks, policy, shape, sign: signClaims, prove }
}

/** Canonical JSON, whatever order the members are in. */
export function spelled(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${spelled(member)}`).join(',')}}`
}

export const encoded = (text: string): string => Buffer.from(text).toString('base64url')

function claimsOf(random: Random): Claims {
  const destroyed =
    Date.UTC(pick(random, 2030, 2060), random.int(12), pick(random, 1, 28)) + random.int(dayMs)
  const at = (days: number) => new Date(destroyed + Math.round(days * dayMs)).toISOString()
  const [tenant, recording] = [random.id('ten'), random.id('rec')]
  const until = { primary: random.pick([null, 7, 30]), recovery: random.pick([null, 90]) }
  const stores = random.pick([['primary'], ['primary', 'recovery']] as const)
  const objects = stores.flatMap(store =>
    (['peaks', 'playback', 'original'] as const).map(role => ({
      ...{ store, role, key: `recordings/${tenant}/4f/${recording}/${role}` },
      ...{
        generation: String(pick(random, 1_700_000_000, 2_000_000_000)),
        bytes: pick(random, 1, 2 ** 31 - 1),
      },
      fingerprint: random.chance(0.1) ? null : random.bytes(32).toString('hex'),
      destroyedAt: at(-random.int(1000) / dayMs),
      restorableUntil: until[store] === null ? null : at(until[store] - random.int(1000) / dayMs),
    })),
  )
  const copies = [
    ...stores.flatMap(where => {
      const untils = objects.filter(({ store }) => store === where).map(one => one.restorableUntil ?? '')
      const latest = untils.sort().at(-1) ?? ''
      return latest === '' ? [] : [{ where, until: latest }]
    }),
    ...(random.chance(0.2) ? [] : [{ where: 'database_backups', until: at(35) }]),
  ]
  const sealedUnder = `tenants/${tenant}/recordings`
  return {
    ...{ jti: random.id('crt'), tenant, recording, kind: random.pick(['voicemail', 'recording']) },
    ...{ receivedAt: at(-3000), destroyedAt: at(0), keptUntil: at(-10), objects, copies },
    rule: { id: random.id('rul'), version: pick(random, 1, 9) },
    disposition: random.id('dsp'),
    proposedBy: random.pick([null, random.id('usr')]),
    approvers: Array.from({ length: random.int(4) }, (_, index) => ({
      ...{ stage: index + 1, id: random.id('usr'), at: at(index - 9) },
    })),
    holdCheck: { at: at(0), holds: 0 },
    method: {
      ...{ guidance: 'NIST SP 800-88r2', sanitization: 'clear', objects: 'deleted_by_generation' },
      database: 'wraps_and_sealed_columns_removed',
      remains: [
        ...(copies.length === 0 ? [] : [{ what: 'copies', sealedUnder }]),
        { what: 'database_free_space', sealedUnder },
        { what: 'log_private_parts', sealedUnder },
      ],
    },
    lastCopyAt: [at(0), ...copies.map(copy => copy.until)].sort().at(-1) ?? '',
  }
}

interface ProofKeys {
  readonly log: Signer
  readonly anchor: Signer
  readonly witnesses: readonly Signer[]
}

function proofOf(
  said: Claims,
  origin: string,
  random: Random,
  leaves: number,
  { event: changed = event => event, anchoredRoot }: ProofChange,
  keys: ProofKeys,
): Claims {
  const objects = said['objects'] as readonly { readonly bytes: number }[]
  const rule = said['rule'] as { readonly id: string; readonly version: number }
  const event = AuditEvent.parse({
    ...{ v: 1, id: random.id('evt'), tenant: said['tenant'], at: said['destroyedAt'] },
    ...{ action: 'recording.disposed', outcome: 'allowed', reasons: [], request: null, private: null },
    actor: { type: 'system', id: 'vault', session: null },
    object: { type: 'recording', id: said['recording'], version: null },
    detail: {
      ...{ kind: 'disposal', disposition: said['disposition'], rule: rule.id, version: rule.version },
      ...{ objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) },
      claims: createHash('sha256').update(spelled(said)).digest('base64'),
    },
    writer: { id: random.id('wri'), name: 'worker', n: 5 },
  })
  // What is undefined is not there.
  const told = AuditEvent.parse(JSON.parse(JSON.stringify(changed(event))))
  const leaf = Buffer.from(encodeLeaf(told))
  const index = random.int(leaves)
  const hashes = Array.from({ length: leaves }, (_, place) =>
    place === index ? leafHash(leaf) : random.bytes(32),
  )
  const root = rootOf(hashes)
  const head = (name: string, size: number, hash: Buffer) => `${name}\n${size}\n${hash.toString('base64')}\n`
  const checkpoint = signedNote(head(origin, leaves, root), [keys.log])
  const anchoredAt = new Date(Date.parse(String(said['destroyedAt'])) + 60_000).toISOString()
  const anchorLeaf = Buffer.from(
    `auricle-anchor/1\n${anchoredAt}\n${head(origin, leaves, anchoredRoot ?? root)}`,
  )
  const anchorSize = leaves + 4
  const anchorIndex = random.int(anchorSize)
  const anchorHashes = Array.from({ length: anchorSize }, (_, place) =>
    place === anchorIndex ? leafHash(anchorLeaf) : random.bytes(32),
  )
  const base64 = (hash: Buffer) => hash.toString('base64')
  return {
    ...{ origin, index, size: leaves, leaf: base64(leaf), checkpoint },
    proof: inclusionProof(index, hashes).map(base64),
    anchor: {
      ...{ index: anchorIndex, size: anchorSize, leaf: base64(anchorLeaf) },
      proof: inclusionProof(anchorIndex, anchorHashes).map(base64),
      checkpoint: signedNote(head(`${vaultName}/anchor`, anchorSize, rootOf(anchorHashes)), [
        keys.anchor,
        ...keys.witnesses,
      ]),
    },
  }
}

function jwkOf(key: KeyObject): { readonly jwk: Claims; readonly kid: string } {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' })
  const members = { crv: crv ?? '', kty: kty ?? '', x: x ?? '', ...(y === undefined ? {} : { y }) }
  const kid = createHash('sha256').update(spelled(members)).digest('base64url')
  return { kid, jwk: { ...members, kid, use: 'sig', alg: kty === 'EC' ? 'ES256' : 'EdDSA' } }
}

function signatureOf(key: KeyObject, text: string): Buffer {
  const isP256 = key.asymmetricKeyType === 'ec'
  return sign(isP256 ? 'sha256' : null, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
}
