// The content of a keyring file: parsing it strictly, writing it, adding versions. See docs/keyring.md.
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { KeyError } from './error.ts'
import { isKeyText } from './key-text.ts'
import { guardOf, isSame, type MaterialGuard, Protection } from './protection.ts'
import { keyObjectOf } from './signed-bytes.ts'
import { dataKeyBytes as keyBytes, type RandomBytes } from './wrapped-bytes.ts'

/** Wraps carry the version in four bytes. */
const maxVersion = 0xff_ff_ff_ff

const Version = z.strictObject({
  version: z.int().min(1).max(maxVersion),
  createdAt: z.iso.datetime(),
  material: z.string().regex(/^[A-Za-z0-9_-]+$/),
})

const Entry = z
  .strictObject({ primary: z.int().min(1).max(maxVersion), versions: z.array(Version).min(1) })
  .refine(entry => new Set(entry.versions.map(v => v.version)).size === entry.versions.length)
  .refine(entry => entry.versions.some(v => v.version === entry.primary))

const keyName = z.string().refine(isKeyText)

const KeyringFile = z.strictObject({
  format: z.literal('auricle-keyring'),
  version: z.literal(1),
  protection: Protection,
  keys: z.record(keyName, Entry),
  integrity: z.string(),
})
type KeyringFile = z.infer<typeof KeyringFile>

interface NamedKey {
  readonly primary: number
  readonly versions: ReadonlyMap<number, KeyObject>
}

/** An opened keyring. Immutable: a change makes another. */
export interface Keyring {
  readonly guard: MaterialGuard
  readonly keys: ReadonlyMap<string, NamedKey>
  readonly file: Pick<KeyringFile, 'keys'>
}

export const emptyKeyring = (guard: MaterialGuard): Keyring => ({
  guard,
  keys: new Map(),
  file: { keys: {} },
})

/**
 * Throws `damaged` and `bad_passphrase`. `known` saves making the passphrase's key again where it is the same.
 */
export async function parseKeyring(
  text: string,
  passphrase: string | null,
  random: RandomBytes,
  known: MaterialGuard | null,
): Promise<Keyring> {
  const file = parseFile(text)
  const isKnown = known !== null && JSON.stringify(known.protection) === JSON.stringify(file.protection)
  const guard = isKnown ? known : await guardOf(file.protection, passphrase, random)
  if (!isSame(guard.integrity(contentOf(guard, file.keys)), file.integrity)) throw damaged()
  const keys = new Map<string, NamedKey>()
  for (const [name, entry] of Object.entries(file.keys)) {
    const versions = new Map<number, KeyObject>()
    for (const version of entry.versions) {
      const material = guard.reveal(version.material, contextOf(name, version))
      versions.set(version.version, keyObjectOf(name, material))
      material.fill(0)
    }
    keys.set(name, { primary: entry.primary, versions })
  }
  return { guard, keys, file: { keys: file.keys } }
}

export function keyringText({ guard, file }: Keyring): string {
  const content = {
    ...contentFields(guard, file.keys),
    integrity: guard.integrity(contentOf(guard, file.keys)),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/** The keyring with a new version of the key as its primary: its first one where there was no such key. */
export function withNewVersion(keyring: Keyring, name: string, random: RandomBytes, now: number): Keyring {
  const entry = keyring.file.keys[name] ?? { primary: 0, versions: [] }
  const version = Math.max(0, ...entry.versions.map(v => v.version)) + 1
  const createdAt = new Date(now).toISOString()
  const material = random(keyBytes)
  const added = {
    version,
    createdAt,
    material: keyring.guard.protect(material, contextOf(name, { version, createdAt })),
  }
  const versions = new Map(keyring.keys.get(name)?.versions).set(version, keyObjectOf(name, material))
  material.fill(0)
  return {
    guard: keyring.guard,
    keys: new Map(keyring.keys).set(name, { primary: version, versions }),
    file: {
      keys: { ...keyring.file.keys, [name]: { primary: version, versions: [...entry.versions, added] } },
    },
  }
}

function parseFile(text: string): KeyringFile {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    // The parser's own error quotes the text, which may be key material.
    throw damaged()
  }
  const parsed = KeyringFile.safeParse(content)
  if (!parsed.success) throw damaged()
  return parsed.data
}

const contentFields = (guard: MaterialGuard, keys: KeyringFile['keys']) => ({
  format: 'auricle-keyring' as const,
  version: 1 as const,
  protection: guard.protection,
  keys,
})

const contentOf = (guard: MaterialGuard, keys: KeyringFile['keys']): string =>
  JSON.stringify(contentFields(guard, keys))

const contextOf = (name: string, { version, createdAt }: { version: number; createdAt: string }): string =>
  `${name} ${version} ${createdAt}`

const damaged = (): KeyError =>
  new KeyError('damaged', 'The keyring is damaged or of another version: restore it, and do not replace it')
