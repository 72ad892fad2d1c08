// Other ways of sealing bytes in Node, each with a key in memory, so that no key service is measured.
import { randomBytes } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import sodium from 'sodium-native'

const kibibyte = 1024

export async function createSealingPeers() {
  return [
    awsPeer('AWS Encryption SDK, default', {}),
    awsPeer('AWS Encryption SDK, unsigned, 256 KiB frames', unsigned(256 * kibibyte)),
    awsPeer('AWS Encryption SDK, unsigned, 1 MiB frames', unsigned(1024 * kibibyte)),
    await agePeer(),
    sodiumPeer(64 * kibibyte),
    sodiumPeer(256 * kibibyte),
  ]
}

const unsigned = frameLength => ({
  suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  frameLength,
})

function awsPeer(name, options) {
  const { encrypt, decrypt, encryptStream, decryptUnsignedMessageStream, decryptStream } = buildClient(
    CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  )
  const keyring = new RawAesKeyringNode({
    keyName: 'key',
    keyNamespace: 'bench',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const all = { ...options, encryptionContext: { tenant: 'ten_1', recording: 'rec_1' } }
  const openStream = options.suiteId === undefined ? decryptStream : decryptUnsignedMessageStream
  return {
    name,
    // It writes into its options, hence the copies.
    seal: async plaintext => (await encrypt(keyring, asBuffer(plaintext), { ...all })).result,
    open: async sealed => (await decrypt(keyring, sealed)).plaintext,
    sealPieces: pieces => throughStream(pieces, encryptStream(keyring, { ...all })),
    openPieces: pieces => throughStream(pieces, openStream(keyring)),
  }
}

function throughStream(pieces, stream) {
  return pipeline(Readable.from(pieces), stream, () => {})
}

async function agePeer() {
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const encrypter = () => {
    const made = new Encrypter()
    made.addRecipient(recipient)
    return made
  }
  const decrypter = () => {
    const made = new Decrypter()
    made.addIdentity(identity)
    return made
  }
  return {
    name: 'age-encryption',
    seal: plaintext => encrypter().encrypt(plaintext),
    open: sealed => decrypter().decrypt(sealed),
    sealPieces: async pieces => await encrypter().encrypt(ReadableStream.from(pieces)),
    openPieces: async pieces => await decrypter().decrypt(ReadableStream.from(pieces)),
  }
}

/** secretstream has no format of its own around it: header, then chunks of a fixed size, the last one marked. */
function sodiumPeer(chunkBytes) {
  const {
    crypto_secretstream_xchacha20poly1305_ABYTES: overheadBytes,
    crypto_secretstream_xchacha20poly1305_HEADERBYTES: headerBytes,
    crypto_secretstream_xchacha20poly1305_KEYBYTES: keyBytes,
    crypto_secretstream_xchacha20poly1305_STATEBYTES: stateBytes,
    crypto_secretstream_xchacha20poly1305_TAGBYTES: tagBytes,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL: tagFinal,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: tagMessage,
    crypto_secretstream_xchacha20poly1305_init_push: initPush,
    crypto_secretstream_xchacha20poly1305_init_pull: initPull,
    crypto_secretstream_xchacha20poly1305_push: push,
    crypto_secretstream_xchacha20poly1305_pull: pull,
  } = sodium
  const key = randomBytes(keyBytes)

  function* sealChunks(plaintext) {
    const state = Buffer.alloc(stateBytes)
    const header = Buffer.allocUnsafe(headerBytes)
    initPush(state, header, key)
    yield header
    const chunks = Math.max(1, Math.ceil(plaintext.length / chunkBytes))
    for (let chunk = 0; chunk < chunks; chunk++) {
      const piece = plaintext.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)
      const sealed = Buffer.allocUnsafe(piece.length + overheadBytes)
      push(state, sealed, piece, null, chunk === chunks - 1 ? tagFinal : tagMessage)
      yield sealed
    }
  }

  function* openChunks(sealed) {
    const state = Buffer.alloc(stateBytes)
    const tag = Buffer.alloc(tagBytes)
    initPull(state, sealed.subarray(0, headerBytes), key)
    const step = chunkBytes + overheadBytes
    for (let at = headerBytes; at < sealed.length; at += step) {
      const piece = sealed.subarray(at, at + step)
      const opened = Buffer.allocUnsafe(piece.length - overheadBytes)
      pull(state, opened, tag, piece, null)
      yield opened
    }
    if (tag[0] !== tagFinal) throw new Error('the stream was cut')
  }

  return {
    name: `libsodium secretstream, ${chunkBytes / kibibyte} KiB chunks`,
    seal: async plaintext => Buffer.concat([...sealChunks(asBuffer(plaintext))]),
    open: async sealed => Buffer.concat([...openChunks(sealed)]),
    // Cutting the whole is cheaper than gathering pieces, to the advantage of this one.
    sealPieces: (_pieces, plaintext) => sealChunks(asBuffer(plaintext)),
    openPieces: (_pieces, sealed) => openChunks(sealed),
  }
}

const asBuffer = bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
