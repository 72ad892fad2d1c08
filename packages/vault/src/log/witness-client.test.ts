// Witnesses as they may behave, against the client that asks them: none of it stops the log.
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import {
  cosignaturePayload,
  cosignedMessage,
  createTree,
  formatCheckpoint,
  formatNote,
  formatTreeSize,
  formatVerifierKey,
  noteSignature,
  parseAddCheckpoint,
  parseNote,
  signatureLine,
  verifierKey,
  verifyNote,
} from '@auricle/audit'
import { createWitnesses, type WitnessOutcome } from './witness-client.ts'

const publicPrefixBytes = 12
const raw = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).subarray(publicPrefixBytes)
const witnessPair = generateKeyPairSync('ed25519')
const logPair = generateKeyPairSync('ed25519')
const witnessKey = verifierKey('witness.example', 'cosignature-ed25519', raw(witnessPair.publicKey))
const logKey = verifierKey('log.example/anchor', 'ed25519', raw(logPair.publicKey))

const text = formatCheckpoint({
  origin: logKey.name,
  size: 5,
  root: createTree({ size: 1, hashes: [new Uint8Array(32)] }).root(),
})
const note = formatNote({
  text,
  signatures: [noteSignature(logKey, sign(null, Buffer.from(text), logPair.privateKey))],
})
const seconds = 1_800_000_000
const line = () =>
  signatureLine(
    witnessKey,
    cosignaturePayload(seconds, sign(null, cosignedMessage(seconds, text), witnessPair.privateKey)),
  )

async function ask(answer: (body: string, place: number) => readonly [status: number, body: string] | null) {
  const bodies: string[] = []
  const listener: RequestListener = async (request, response) => {
    const pieces: Uint8Array[] = []
    for await (const piece of request) pieces.push(piece)
    const body = Buffer.concat(pieces).toString()
    bodies.push(body)
    assert.equal(request.url, '/add-checkpoint')
    const said = answer(body, bodies.length)
    if (said === null) return
    response.writeHead(said[0]).end(said[1])
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const outcomes: WitnessOutcome[] = []
  const { port } = server.address() as AddressInfo
  const witnesses = createWitnesses({
    witnesses: [{ verifierKey: formatVerifierKey(witnessKey), url: `http://127.0.0.1:${port}` }],
    timeoutMs: 300,
    onOutcome: (_, outcome) => outcomes.push(outcome),
  })
  const signed = await witnesses.cosign({ note, size: 5, lastSize: 3 }, async () => [], {})
  server.closeAllConnections()
  server.close()
  return { signed, outcome: outcomes[0], bodies }
}

test('a signature that comes stands in the note', async () => {
  const { signed, outcome, bodies } = await ask(() => [200, line()])
  assert.equal(outcome, 'signed')
  assert.equal((await verifyNote(signed, [logKey, witnessKey])).by.length, 2)
  const asked = parseAddCheckpoint(bodies[0] ?? '')
  assert.deepEqual([asked.oldSize, asked.checkpoint], [3, note])
})

test('a witness that is at another size is asked once more from there', async () => {
  const { outcome, bodies } = await ask((_, place) =>
    place === 1 ? [409, formatTreeSize(2)] : [200, line()],
  )
  assert.equal(outcome, 'signed')
  assert.equal(parseAddCheckpoint(bodies[1] ?? '').oldSize, 2)
})

for (const [name, answer, expected] of [
  ['does not answer', () => null, 'away'],
  ['fails', () => [500, ''], 'away'],
  ['does not know the log', () => [404, ''], 'refused'],
  ['does not take the signature', () => [403, ''], 'refused'],
  ['has signed another log', () => [422, ''], 'conflict'],
  ['has signed a larger one', () => [409, formatTreeSize(6)], 'conflict'],
  ['says no size', () => [409, 'many\n'], 'away'],
  ['says another size each time', (_body, place) => [409, formatTreeSize(place)], 'away'],
  ['says nothing of a signature', () => [200, 'yes\n'], 'away'],
  ['says too much', () => [200, 'x'.repeat(100_000)], 'away'],
  [
    'signs something else',
    () => [200, signatureLine(witnessKey, cosignaturePayload(seconds, new Uint8Array(64)))],
    'away',
  ],
  ['signs in the name of another', () => [200, signatureLine(logKey, new Uint8Array(64))], 'away'],
] as const satisfies readonly (readonly [string, Parameters<typeof ask>[0], WitnessOutcome])[]) {
  test(`a witness that ${name} leaves the note as it is`, async () => {
    const { signed, outcome } = await ask(answer)
    assert.equal(outcome, expected)
    assert.deepEqual(parseNote(signed), parseNote(note))
  })
}
