// Asks a person at the terminal; secrets are not echoed.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { UsageError } from './error.ts'

export interface Question {
  /** What is asked for, as in a sentence: `the password`. */
  readonly text: string
  readonly secret?: boolean
}

/** Throws where standard input is no terminal: a program passes what it has by option or environment. */
export async function ask(
  { text, secret = false }: Question,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `There is no terminal to ask for ${text} at; a program sets AURICLE_TOKEN, from \`auricle token create\`, instead`,
    )
  }
  const mute = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const prompt = `${heading(text)}: `
  // What is muted cannot show its prompt; what is not muted would wipe one that it did not write itself.
  if (secret) process.stderr.write(prompt)
  const line = createInterface({
    input: process.stdin,
    output: secret ? mute : process.stderr,
    terminal: true,
  })
  const left = Promise.withResolvers<never>()
  // Ctrl-C and Ctrl-D reach the line and not the process; without this nothing would ever be answered.
  line.once('close', () => left.reject(new UsageError('Given up: nothing was answered')))
  let isEnded = false
  try {
    const answer = await Promise.race([line.question(secret ? '' : prompt, options), left.promise])
    // The line break was shown with the answer, unless that was muted.
    isEnded = !secret
    return answer
  } finally {
    left.promise.catch(() => undefined)
    line.close()
    if (!isEnded) process.stderr.write('\n')
  }
}

/** `the password` as `Password`. */
function heading(text: string): string {
  const bare = text.replace(/^the /, '')
  return bare.charAt(0).toUpperCase() + bare.slice(1)
}

/** All of standard input, without its last line break: how scripts hand a secret over. */
export async function readStandardInput(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece)
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
