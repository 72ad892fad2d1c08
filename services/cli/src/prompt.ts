// Asks a person at the terminal; secrets are not echoed.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { UsageError } from './error.ts'

export interface Question {
  readonly text: string
  readonly secret?: boolean
}

/** Throws where standard input is no terminal: a program passes what it has by option or environment. */
export async function ask(
  { text, secret = false }: Question,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`${text}: there is no terminal to ask at`)
  const mute = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  process.stderr.write(`${text}: `)
  const line = createInterface({
    input: process.stdin,
    output: secret ? mute : process.stderr,
    terminal: true,
  })
  try {
    return await line.question('', options)
  } finally {
    line.close()
    if (secret) process.stderr.write('\n')
  }
}

/** All of standard input, without its last line break: how scripts hand a secret over. */
export async function readStandardInput(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece)
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
