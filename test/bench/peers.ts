// The programs that we are compared with: a package of their own, installed when a benchmark needs it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

export const peersFolder = join(import.meta.dirname, 'peers')

/** Runs `npm ci` there unless it was run to its end before. */
export async function installPeers(): Promise<void> {
  if (existsSync(join(peersFolder, 'node_modules', '.package-lock.json'))) return
  process.stdout.write('Installing what the benchmark compares with (test/bench/peers) ...\n')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env['npm_execpath']
  const [command, ...first] = npm?.endsWith('.js') === true ? [process.execPath, npm] : ['npm']
  const child = spawn(command, [...first, ...args], {
    cwd: peersFolder,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`npm could not install test/bench/peers:\n${errors}`)
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A sealing library as the benchmark uses it. */
export interface Peer {
  readonly name: string
  readonly seal: (plaintext: Uint8Array) => Promise<Uint8Array>
  readonly open: (sealed: Uint8Array) => Promise<Uint8Array>
  /** `plaintext` is what the pieces are of, for a peer that does better to cut it itself. */
  readonly sealPieces: (pieces: Pieces, plaintext: Uint8Array) => Promise<Pieces> | Pieces
  readonly openPieces: (pieces: Pieces, sealed: Uint8Array) => Promise<Pieces> | Pieces
}

export async function loadSealingPeers(): Promise<readonly Peer[]> {
  const module = await import(pathToFileURL(join(peersFolder, 'sealing.mjs')).href)
  return module.createSealingPeers()
}
