// The keys of the emulated service: rings, keys and versions, their states over time, and what may follow what.
import type { KeyObject } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { generate, purposeOf } from './algorithms.ts'
import {
  type CryptoKeyMessage,
  type Duration,
  msOf,
  type Timestamp,
  timestampOf,
  type VersionMessage,
  type VersionTemplate,
} from './protocol.ts'
import { Code, failedPrecondition, invalid, notFound, Refusal } from './status.ts'

const msPerDay = 86_400_000
const defaultDestroyDays = 30
const destroyDaysMost = 120
const uidBytes = 16
const idPattern = /^[a-zA-Z0-9_-]{1,63}$/
const ringPattern = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[a-zA-Z0-9_-]{1,63}$/

export type VersionState = 'PENDING_GENERATION' | 'ENABLED' | 'DISABLED' | 'DESTROY_SCHEDULED' | 'DESTROYED'

export interface Version {
  readonly key: CryptoKey
  readonly number: number
  readonly algorithm: string
  readonly protectionLevel: string
  readonly createdAt: number
  readonly generatedAt: number
  state: VersionState
  destroyAt: number | null
  destroyedAt: number | null
  /** Null once it is destroyed. */
  material: KeyObject | null
}

export interface CryptoKey {
  readonly name: string
  /** Stands in every ciphertext, so that one of another key is known as such. */
  readonly uid: Buffer
  readonly purpose: string
  readonly createdAt: number
  readonly destroyMs: number
  readonly versions: Version[]
  algorithm: string
  readonly protectionLevel: string
  primary: Version | null
  rotationMs: number | null
  nextRotationAt: number | null
  labels: Record<string, string>
}

export interface KeysOptions {
  readonly clock: () => number
  /** How long a version that is not made in software for encryption is PENDING_GENERATION. */
  readonly generationMs: number
  /** Algorithms that this location does not offer at a protection level, such as `HSM EC_SIGN_ED25519`. */
  readonly notOffered: readonly string[]
}

export interface CryptoKeySettings {
  readonly purpose: string
  readonly versionTemplate: Partial<VersionTemplate> | null
  /** Part of a oneof, so absent where it is not set. */
  readonly rotationPeriod?: Duration | null | undefined
  readonly nextRotationTime: Timestamp | null
  readonly destroyScheduledDuration: Duration | null
  readonly labels: Readonly<Record<string, string>>
}

export type Keys = ReturnType<typeof createKeys>

export function createKeys({ clock, generationMs, notOffered }: KeysOptions) {
  const rings = new Map<string, { readonly createdAt: number }>()
  const keys = new Map<string, CryptoKey>()

  /** Brings a key to the present: what is due by the clock has happened. */
  function settle(key: CryptoKey): CryptoKey {
    const now = clock()
    while (key.rotationMs !== null && key.nextRotationAt !== null && key.nextRotationAt <= now) {
      key.primary = addVersion(key, key.nextRotationAt)
      key.nextRotationAt += key.rotationMs
    }
    for (const version of key.versions) {
      if (version.state === 'PENDING_GENERATION' && version.generatedAt <= now) {
        version.state = 'ENABLED'
        if (key.purpose === 'ENCRYPT_DECRYPT') key.primary ??= version
      }
      if (version.state === 'DESTROY_SCHEDULED' && (version.destroyAt ?? 0) <= now) {
        version.state = 'DESTROYED'
        version.destroyedAt = version.destroyAt
        version.material = null
      }
    }
    return key
  }

  function addVersion(key: CryptoKey, createdAt = clock()): Version {
    const isInstant = key.purpose === 'ENCRYPT_DECRYPT' && key.protectionLevel === 'SOFTWARE'
    const generatedAt = createdAt + (isInstant ? 0 : generationMs)
    const version: Version = {
      key,
      number: key.versions.length + 1,
      algorithm: key.algorithm,
      protectionLevel: key.protectionLevel,
      createdAt,
      generatedAt,
      state: generatedAt <= clock() ? 'ENABLED' : 'PENDING_GENERATION',
      destroyAt: null,
      destroyedAt: null,
      material: generate(key.algorithm),
    }
    key.versions.push(version)
    return version
  }

  function mustBeOffered(protectionLevel: string, algorithm: string, purpose: string): void {
    if (purposeOf[algorithm] !== purpose) {
      throw invalid(`The algorithm ${algorithm} cannot be used with the purpose ${purpose}.`)
    }
    if (notOffered.includes(`${protectionLevel} ${algorithm}`)) {
      throw invalid(`The algorithm ${algorithm} is not supported for protection level ${protectionLevel}.`)
    }
  }

  const store = {
    createRing(name: string): void {
      if (!ringPattern.test(name)) throw invalid('The request has errors: key_ring_id')
      if (rings.has(name)) throw new Refusal(Code.ALREADY_EXISTS, `KeyRing ${name} already exists.`)
      rings.set(name, { createdAt: clock() })
    },

    ring(name: string): { readonly createdAt: number } {
      const ring = rings.get(name)
      if (ring === undefined) throw notFound(`KeyRing ${name}`)
      return ring
    },

    createKey(ring: string, id: string, settings: CryptoKeySettings): CryptoKey {
      store.ring(ring)
      if (!idPattern.test(id)) throw invalid('The request has errors: crypto_key_id')
      const name = `${ring}/cryptoKeys/${id}`
      if (keys.has(name)) throw new Refusal(Code.ALREADY_EXISTS, `CryptoKey ${name} already exists.`)
      const { purpose } = settings
      if (!Object.values(purposeOf).includes(purpose)) throw invalid('The request has errors: purpose')
      const protectionLevel = given(settings.versionTemplate?.protectionLevel) ?? 'SOFTWARE'
      const symmetric = purpose === 'ENCRYPT_DECRYPT' ? 'GOOGLE_SYMMETRIC_ENCRYPTION' : null
      const algorithm = given(settings.versionTemplate?.algorithm) ?? symmetric
      if (algorithm === null) throw invalid('The request has errors: version_template.algorithm')
      mustBeOffered(protectionLevel, algorithm, purpose)
      const destroyMs =
        settings.destroyScheduledDuration === null
          ? defaultDestroyDays * msPerDay
          : msOf(settings.destroyScheduledDuration)
      if (destroyMs < msPerDay || destroyMs > destroyDaysMost * msPerDay) {
        throw invalid('destroy_scheduled_duration must be between 24 hours and 120 days.')
      }
      const key: CryptoKey = {
        name,
        uid: randomBytes(uidBytes),
        purpose,
        createdAt: clock(),
        destroyMs,
        versions: [],
        algorithm,
        protectionLevel,
        primary: null,
        rotationMs: null,
        nextRotationAt: null,
        labels: { ...settings.labels },
      }
      setRotation(key, settings.rotationPeriod ?? null, settings.nextRotationTime, clock())
      const first = addVersion(key)
      if (purpose === 'ENCRYPT_DECRYPT') key.primary = first
      keys.set(name, key)
      return key
    },

    has: (name: string): boolean => keys.has(name),

    /** Throws NOT_FOUND. */
    key(name: string): CryptoKey {
      const key = keys.get(name)
      if (key === undefined) throw notFound(`CryptoKey ${name}`)
      return settle(key)
    },

    keysOf(ring: string): CryptoKey[] {
      store.ring(ring)
      return [...keys.values()].filter(key => key.name.startsWith(`${ring}/cryptoKeys/`)).map(settle)
    },

    /** Throws NOT_FOUND. */
    version(name: string): Version {
      const [, keyName = '', number = ''] = /^(.*)\/cryptoKeyVersions\/([^/]*)$/.exec(name) ?? []
      const key = store.key(keyName)
      const version = key.versions.find(version => String(version.number) === number)
      if (version === undefined) throw notFound(`CryptoKeyVersion ${name}`)
      return version
    },

    addVersion: (keyName: string): Version => addVersion(store.key(keyName)),

    updateKey(name: string, paths: readonly string[], wanted: CryptoKeySettings): CryptoKey {
      const key = store.key(name)
      const rotation = paths.filter(path => /^(rotation_period|next_rotation_time)$/.test(path))
      for (const path of paths) {
        if (path === 'labels') key.labels = { ...wanted.labels }
        else if (path === 'version_template.algorithm' || path === 'version_template') {
          const algorithm = given(wanted.versionTemplate?.algorithm) ?? key.algorithm
          mustBeOffered(key.protectionLevel, algorithm, key.purpose)
          key.algorithm = algorithm
        } else if (!rotation.includes(path)) throw invalid(`The field ${path} cannot be updated.`)
      }
      if (rotation.length > 0) {
        const period = paths.includes('rotation_period')
          ? (wanted.rotationPeriod ?? null)
          : durationOf(key.rotationMs)
        const next = paths.includes('next_rotation_time')
          ? wanted.nextRotationTime
          : durationOf(key.nextRotationAt)
        setRotation(key, period, next, clock())
      }
      return key
    },

    setPrimary(keyName: string, id: string): CryptoKey {
      const key = store.key(keyName)
      if (key.purpose !== 'ENCRYPT_DECRYPT') {
        throw failedPrecondition(`${keyName} has purpose ${key.purpose}, which has no primary version.`)
      }
      const version = store.version(`${keyName}/cryptoKeyVersions/${id}`)
      key.primary = mustBeEnabled(version)
      return key
    },

    setEnabled(version: Version, state: string): void {
      if (state !== 'ENABLED' && state !== 'DISABLED') throw invalid('The request has errors: state')
      if (version.state !== 'ENABLED' && version.state !== 'DISABLED') {
        throw failedPrecondition(stateSentence(version))
      }
      version.state = state
    },

    scheduleDestroy(version: Version): void {
      if (version.state !== 'ENABLED' && version.state !== 'DISABLED') {
        throw failedPrecondition(stateSentence(version))
      }
      version.state = 'DESTROY_SCHEDULED'
      version.destroyAt = clock() + version.key.destroyMs
    },

    restore(version: Version): void {
      if (version.state !== 'DESTROY_SCHEDULED') throw failedPrecondition(stateSentence(version))
      version.state = 'DISABLED'
      version.destroyAt = null
    },
  }
  return store
}

export const versionName = ({ key, number }: Version): string => `${key.name}/cryptoKeyVersions/${number}`

/** Throws FAILED_PRECONDITION. */
export function mustBeEnabled(version: Version): Version {
  if (version.state !== 'ENABLED') throw failedPrecondition(stateSentence(version))
  return version
}

/** The material of a version that is enabled. */
export function materialOf(version: Version): KeyObject {
  const { material } = mustBeEnabled(version)
  if (material === null) throw failedPrecondition(stateSentence(version))
  return material
}

export function messageOfKey(key: CryptoKey): CryptoKeyMessage {
  return {
    name: key.name,
    purpose: key.purpose,
    primary: key.primary === null ? null : messageOfVersion(key.primary),
    createTime: timestampOf(key.createdAt),
    nextRotationTime: timeOf(key.nextRotationAt),
    rotationPeriod: durationOf(key.rotationMs),
    destroyScheduledDuration: timestampOf(key.destroyMs),
    versionTemplate: { protectionLevel: key.protectionLevel, algorithm: key.algorithm },
    labels: { ...key.labels },
  }
}

export function messageOfVersion(version: Version): VersionMessage {
  const isThere = version.state !== 'PENDING_GENERATION'
  return {
    name: versionName(version),
    state: version.state,
    protectionLevel: version.protectionLevel,
    algorithm: version.algorithm,
    createTime: timestampOf(version.createdAt),
    generateTime: isThere ? timestampOf(version.generatedAt) : null,
    destroyTime: version.state === 'DESTROY_SCHEDULED' ? timeOf(version.destroyAt) : null,
    destroyEventTime: timeOf(version.destroyedAt),
  }
}

function setRotation(key: CryptoKey, period: Duration | null, next: Timestamp | null, now: number): void {
  if (period === null && next === null) {
    key.rotationMs = null
    key.nextRotationAt = null
    return
  }
  if (key.purpose !== 'ENCRYPT_DECRYPT') {
    throw invalid('Rotation schedules are only supported for the purpose ENCRYPT_DECRYPT.')
  }
  if (next === null) throw invalid('next_rotation_time must be set when rotation_period is set.')
  if (msOf(next) < now) throw invalid('next_rotation_time must be in the future.')
  if (period !== null && msOf(period) < msPerDay) throw invalid('rotation_period must be at least 24 hours.')
  key.rotationMs = period === null ? null : msOf(period)
  key.nextRotationAt = msOf(next)
}

const stateSentence = (version: Version): string =>
  `${versionName(version)} is not enabled, current state is: ${version.state}.`
const timeOf = (ms: number | null): Timestamp | null => (ms === null ? null : timestampOf(ms))
const durationOf = timeOf
/** The first of an enum means that nothing was chosen. */
const given = (value: string | undefined): string | null =>
  value === undefined || value.endsWith('_UNSPECIFIED') ? null : value
