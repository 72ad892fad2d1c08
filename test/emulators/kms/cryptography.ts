// The methods that use keys: their limits, their checksums both ways, and the sentences with which they refuse.
import { timingSafeEqual } from 'node:crypto'
import { decrypt, encrypt, hmac, publicKeyPem, sha256, signDigestP256, signEd25519 } from './algorithms.ts'
import { checksumOf, verified } from './checksum.ts'
import { type CryptoKey, type Keys, materialOf, mustBeEnabled, type Version, versionName } from './keys.ts'
import type {
  AsymmetricSignRequest,
  DecryptRequest,
  EncryptRequest,
  MacSignRequest,
  MacVerifyRequest,
} from './protocol.ts'
import { failedPrecondition, invalid } from './status.ts'

const format = 0x0a
const uidAt = 1
const uidBytes = 16
const versionAt = uidAt + uidBytes
const sealedAt = versionAt + 4
const softwareBytesMost = 65_536
const hsmBytesMost = 8192
const hsmMacBytesMost = 16_384
const sha256Bytes = 32

const crcOf = 'additional_authenticated_data'
const wrongCiphertext = () => invalid('Decryption failed: the ciphertext is invalid.')
const wrongKey = () => invalid("Decryption failed: verify that 'name' refers to the correct CryptoKey.")

export function cryptographyOf(keys: Keys) {
  return {
    Encrypt({ name, plaintext, additionalAuthenticatedData: aad, ...sums }: EncryptRequest) {
      const version = name.includes('/cryptoKeyVersions/') ? keys.version(name) : primaryOf(keys.key(name))
      mustBeFor(version.key, 'ENCRYPT_DECRYPT')
      mustFit(version, plaintext, aad)
      const verifiedPlaintextCrc32c = verified('plaintext', plaintext, sums.plaintextCrc32c)
      const verifiedAad = verified(crcOf, aad, sums.additionalAuthenticatedDataCrc32c)
      const header = Buffer.alloc(sealedAt)
      header.writeUInt8(format, 0)
      version.key.uid.copy(header, uidAt)
      header.writeUInt32BE(version.number, versionAt)
      const ciphertext = Buffer.concat([header, encrypt(materialOf(version), plaintext, aad)])
      return {
        name: versionName(version),
        ciphertext,
        ciphertextCrc32c: checksumOf(ciphertext),
        verifiedPlaintextCrc32c,
        verifiedAdditionalAuthenticatedDataCrc32c: verifiedAad,
        protectionLevel: version.protectionLevel,
      }
    },

    Decrypt({ name, ciphertext, additionalAuthenticatedData: aad, ...sums }: DecryptRequest) {
      const key = keys.key(name)
      mustBeFor(key, 'ENCRYPT_DECRYPT')
      if (aad.length > softwareBytesMost) throw tooLong(crcOf, softwareBytesMost)
      verified('ciphertext', ciphertext, sums.ciphertextCrc32c)
      verified(crcOf, aad, sums.additionalAuthenticatedDataCrc32c)
      if (ciphertext.length < sealedAt || ciphertext[0] !== format) throw wrongCiphertext()
      if (!key.uid.equals(ciphertext.subarray(uidAt, versionAt))) throw wrongKey()
      const number = ciphertext.readUInt32BE(versionAt)
      const version = key.versions.find(version => version.number === number)
      if (version === undefined) throw wrongCiphertext()
      const plaintext = decrypt(materialOf(version), ciphertext.subarray(sealedAt), aad)
      if (plaintext === null) throw wrongCiphertext()
      return {
        plaintext,
        plaintextCrc32c: checksumOf(plaintext),
        usedPrimary: version === key.primary,
        protectionLevel: version.protectionLevel,
      }
    },

    MacSign({ name, data, dataCrc32c }: MacSignRequest) {
      const version = keys.version(name)
      mustBeFor(version.key, 'MAC')
      mustBeMacable(version, data)
      const verifiedDataCrc32c = verified('data', data, dataCrc32c)
      const mac = hmac(materialOf(version), data)
      return {
        name,
        mac,
        macCrc32c: checksumOf(mac),
        verifiedDataCrc32c,
        protectionLevel: version.protectionLevel,
      }
    },

    MacVerify({ name, data, mac, dataCrc32c, macCrc32c }: MacVerifyRequest) {
      const version = keys.version(name)
      mustBeFor(version.key, 'MAC')
      mustBeMacable(version, data)
      const verifiedDataCrc32c = verified('data', data, dataCrc32c)
      const verifiedMacCrc32c = verified('mac', mac, macCrc32c)
      const own = hmac(materialOf(version), data)
      const success = own.length === mac.length && timingSafeEqual(own, mac)
      return {
        name,
        success,
        verifiedDataCrc32c,
        verifiedMacCrc32c,
        verifiedSuccessIntegrity: success,
        protectionLevel: version.protectionLevel,
      }
    },

    AsymmetricSign({ name, digest, data, digestCrc32c, dataCrc32c }: AsymmetricSignRequest) {
      const version = keys.version(name)
      mustBeFor(version.key, 'ASYMMETRIC_SIGN')
      const hash = digest?.sha256 ?? null
      if (hash !== null && data.length > 0) throw invalid('Only one of digest and data may be set.')
      if (hash !== null && hash.length !== sha256Bytes) throw invalid('digest.sha256 must be 32 bytes.')
      if (data.length > softwareBytesMost) throw tooLong('data', softwareBytesMost)
      const isEd25519 = version.algorithm === 'EC_SIGN_ED25519'
      if (isEd25519 && hash !== null) {
        throw invalid('EC_SIGN_ED25519 signs data, not a digest: use the field data.')
      }
      const verifiedDigestCrc32c = hash !== null && verified('digest', hash, digestCrc32c)
      const verifiedDataCrc32c = hash === null && verified('data', data, dataCrc32c)
      const material = materialOf(version)
      const signature = isEd25519
        ? signEd25519(material, data)
        : signDigestP256(material, hash ?? sha256(data))
      return {
        name,
        signature,
        signatureCrc32c: checksumOf(signature),
        verifiedDigestCrc32c,
        verifiedDataCrc32c,
        protectionLevel: version.protectionLevel,
      }
    },

    GetPublicKey({ name }: { readonly name: string }) {
      const version = keys.version(name)
      mustBeFor(version.key, 'ASYMMETRIC_SIGN')
      const pem = publicKeyPem(materialOf(version))
      return {
        name,
        pem,
        pemCrc32c: checksumOf(Buffer.from(pem)),
        algorithm: version.algorithm,
        protectionLevel: version.protectionLevel,
      }
    },
  }
}

function primaryOf(key: CryptoKey): Version {
  if (key.primary === null) throw failedPrecondition(`${key.name} has no primary version.`)
  return mustBeEnabled(key.primary)
}

function mustBeFor(key: CryptoKey, purpose: string): void {
  if (key.purpose === purpose) return
  throw failedPrecondition(`${key.name} has purpose ${key.purpose}, not ${purpose}.`)
}

function mustFit(version: Version, plaintext: Buffer, aad: Buffer): void {
  if (plaintext.length > softwareBytesMost) throw tooLong('plaintext', softwareBytesMost)
  if (aad.length > softwareBytesMost) throw tooLong(crcOf, softwareBytesMost)
  if (version.protectionLevel === 'HSM' && plaintext.length + aad.length > hsmBytesMost) {
    throw tooLong(`plaintext and ${crcOf} together`, hsmBytesMost)
  }
}

function mustBeMacable(version: Version, data: Buffer): void {
  const most = version.protectionLevel === 'HSM' ? hsmMacBytesMost : softwareBytesMost
  if (data.length === 0) throw invalid('The request has errors: data')
  if (data.length > most) throw tooLong('data', most)
}

const tooLong = (field: string, most: number) => invalid(`${field} must be at most ${most} bytes.`)
