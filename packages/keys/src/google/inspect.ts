// What an operator should know of a key ring: whether it is there, and whether its keys are as they were asked to be.
import type { Finding } from '@auricle/contract'
import { protos } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { Caller } from './call.ts'
import { isDenied, isNotFound } from './kms-error.ts'
import type { Settings } from './options.ts'
import { heldAs } from './protection.ts'
import { gcloudPlace, isOurKeyId } from './resource-names.ts'
import { keyVersionOf } from './versions.ts'

type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey

const p256 = protos.google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256
const secondsPerDay = 86_400
const pageSize = 1000
/** Of more keys than these the rest is not looked at, and that is said. */
const keysMost = 10_000

/** Throws only the reason of an aborted signal. */
export async function inspectKeyRing(
  { call }: Caller,
  settings: Settings,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const { keyRing } = settings
  const [, project, , location, , ring] = keyRing.split('/')
  const found = await looked(signal, () =>
    call<'there' | 'missing' | 'denied'>({
      what: 'look at the key ring',
      signal,
      ask: (client, options) =>
        client.getKeyRing({ name: keyRing }, options).then(() => 'there' as const, missingOrDenied),
    }),
  )
  const name = 'key ring'
  if (found instanceof KeyError) {
    const mend =
      'See that this machine reaches Cloud KMS and has credentials: gcloud auth application-default login'
    return [{ name, state: stateOf(found), found: found.message, mend }]
  }
  if (found === 'missing') {
    const mend = `gcloud kms keyrings create ${ring} --location=${location} --project=${project}`
    return [{ name, state: 'bad', found: `${keyRing} does not exist`, mend }]
  }
  const ringFinding: Finding =
    found === 'there'
      ? { name, state: 'ok', found: `${keyRing} is there`, mend: null }
      : notLookedAt(name, 'cloudkms.keyRings.get', settings)
  return [ringFinding, ...(await inspectKeys({ call }, settings, signal))]
}

async function inspectKeys({ call }: Caller, settings: Settings, signal?: AbortSignal): Promise<Finding[]> {
  const name = 'keys'
  const keys = await looked(signal, () => listKeys({ call }, settings.keyRing, signal))
  if (keys instanceof KeyError) {
    return [
      { name, state: stateOf(keys), found: keys.message, mend: 'See that this machine reaches Cloud KMS' },
    ]
  }
  if (typeof keys === 'string') return [notLookedAt(name, 'cloudkms.cryptoKeys.list', settings)]
  const ours = keys.slice(0, keysMost).filter(key => isOurKeyId(idOf(key)))
  const rest = keys.length > keysMost ? `, of the first ${keysMost}; the others were not looked at` : ''
  const wrong = checks.flatMap(check => check(ours, settings) ?? [])
  if (wrong.length > 0) return wrong
  const found = `${ours.length} keys, held as ${settings.protection}, rotated and protected from destruction as configured${rest}`
  return [{ name, state: 'ok', found, mend: null }]
}

/** A page a call, so that none of them takes long. */
async function listKeys(
  { call }: Caller,
  parent: string,
  signal: AbortSignal | undefined,
): Promise<CryptoKey[] | 'missing' | 'denied'> {
  const keys: CryptoKey[] = []
  let pageToken = ''
  do {
    const page = await call({
      what: 'list keys',
      signal,
      ask: (client, options) =>
        client
          .listCryptoKeys({ parent, pageSize, pageToken }, { ...options, autoPaginate: false })
          .then(([found, , answer]) => ({ found, next: answer?.nextPageToken ?? '' }), missingOrDenied),
    })
    if (typeof page === 'string') return page
    keys.push(...page.found)
    pageToken = page.next
  } while (pageToken !== '' && keys.length <= keysMost)
  return keys
}

type Check = (keys: readonly CryptoKey[], settings: Settings) => Finding | null

const checks: readonly Check[] = [
  function held(keys, { protection }) {
    const others = keys.filter(key => heldAs(key.versionTemplate?.protectionLevel) !== protection)
    const found = `${count(others)} not held as ${protection}`
    const mend =
      'A key cannot be moved: set AURICLE_KMS_PROTECTION to what the keys are, or use a new key ring'
    return others.length === 0 ? null : { name: 'key protection', state: 'bad', found, mend }
  },

  function digest(keys) {
    const algorithm = keys.find(key => idOf(key) === 'certificates')?.versionTemplate?.algorithm
    const found = 'certificates does not sign with ECDSA on P-256: no certificate can be issued'
    const mend = 'Make a version of it with EC_SIGN_P256_SHA256, and disable the others'
    return algorithm === undefined || algorithm === 'EC_SIGN_P256_SHA256' || algorithm === p256
      ? null
      : { name: 'key algorithm', state: 'bad', found, mend }
  },

  function primary(keys, { keyRing }) {
    const others = keys.filter(key => {
      const version = primaryOf(key)
      return isWrapping(key) && version?.state !== 'ENABLED' && version?.state !== 'PENDING_GENERATION'
    })
    const [first] = others
    if (first === undefined) return null
    const number = primaryOf(first)?.number ?? 1
    const found = `${count(others)} without an enabled primary version: nothing can be sealed under them`
    const mend = `gcloud kms keys versions enable ${number} ${gcloudPlace(keyRing, idOf(first))}`
    return { name: 'key versions', state: 'bad', found, mend }
  },

  function rotation(keys, { keyRing, rotationDays, now }) {
    const wanted = rotationDays * secondsPerDay
    const others = keys.filter(key => isWrapping(key) && Number(key.rotationPeriod?.seconds ?? 0) !== wanted)
    const [first] = others
    if (first === undefined) return null
    const next = new Date(now() + wanted * 1000).toISOString()
    const found = `${count(others)} not rotated every ${rotationDays} days`
    const place = gcloudPlace(keyRing).trim()
    const mend = `gcloud kms keys update ${idOf(first)} ${place} --rotation-period=${rotationDays}d --next-rotation-time=${next}`
    return { name: 'key rotation', state: 'warn', found, mend }
  },

  function destruction(keys, { destroyDays }) {
    const wanted = destroyDays * secondsPerDay
    const others = keys.filter(key => Number(key.destroyScheduledDuration?.seconds ?? 0) < wanted)
    const found = `${count(others)} whose destroyed versions can be restored for less than ${destroyDays} days`
    const mend =
      'This cannot be changed for a key: set AURICLE_KMS_DESTROY_DAYS to what it is, and guard who may destroy'
    return others.length === 0 ? null : { name: 'key destruction', state: 'warn', found, mend }
  },
]

function count(keys: readonly CryptoKey[]): string {
  const [first] = keys
  const name = first === undefined ? '' : ` (${idOf(first)}${keys.length > 1 ? ' and others' : ''})`
  return `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}${name}`
}

const idOf = ({ name }: CryptoKey): string => name?.split('/').at(-1) ?? ''
const isWrapping = ({ purpose }: CryptoKey): boolean => purpose === 'ENCRYPT_DECRYPT' || purpose === 1
const primaryOf = (key: CryptoKey) =>
  keyVersionOf({ ring: '', id: '', name: key.name ?? '' }, key.primary ?? {})

const stateOf = ({ transient }: KeyError): Finding['state'] => (transient ? 'away' : 'bad')

function notLookedAt(name: string, permission: string, { keyRing }: Settings): Finding {
  const place = gcloudPlace(keyRing).replace('--keyring=', '').trim()
  return {
    name,
    state: 'warn',
    found: `Not looked at: this identity lacks ${permission}, as it should if it only seals`,
    mend: `Look as an operator, or: gcloud kms keyrings add-iam-policy-binding ${place} --role=roles/cloudkms.viewer --member=...`,
  }
}

function missingOrDenied(error: unknown): 'missing' | 'denied' {
  if (isNotFound(error)) return 'missing'
  if (isDenied(error)) return 'denied'
  throw error
}

async function looked<T>(signal: AbortSignal | undefined, look: () => Promise<T>): Promise<T | KeyError> {
  signal?.throwIfAborted()
  try {
    return await look()
  } catch (error) {
    if (error instanceof KeyError) return error
    throw error
  }
}
