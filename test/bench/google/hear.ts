// One session of hearing a recording, as a player and its user make it: begin, seek about, draw the waveform, export.
import type { Account } from './accounts.ts'

export interface Hearing {
  readonly begun: Account
  readonly sought: Account
  readonly drawn: Account
  readonly exported: Account
}

export const seeks = 20

const rangeBytes = 64 * 1024
const partial = 206
const whole = 200

/** The bytes that come are compared with those that were delivered. */
export async function hear(
  { url, token, audio }: { readonly url: string; readonly token: string; readonly audio: Buffer },
  during: (work: () => Promise<void>) => Promise<Account>,
): Promise<Hearing> {
  const headers = { authorization: `Bearer ${token}` }
  const sound = `${url}/audio?role=original`
  const listen = async (start: number) => {
    const end = Math.min(start + rangeBytes, audio.length)
    const answer = await fetch(sound, { headers: { ...headers, range: `bytes=${start}-${end - 1}` } })
    await expectBytes(answer, partial, audio.subarray(start, end))
  }
  return {
    begun: await during(() => listen(0)),
    sought: await during(async () => {
      // Back and forth, so that no range follows the one before.
      for (let seek = 0; seek < seeks; seek++) {
        await listen(Math.floor(((seek * 7 + 3) % seeks) * ((audio.length - rangeBytes) / seeks)))
      }
    }),
    drawn: await during(async () => {
      const answer = await fetch(`${url}/peaks`, { headers })
      await answer.arrayBuffer()
      if (answer.status !== whole) throw new Error(`No waveform came: ${answer.status}`)
    }),
    exported: await during(async () => {
      await expectBytes(await fetch(`${sound}&download=true`, { headers }), whole, audio)
    }),
  }
}

async function expectBytes(answer: Response, status: number, bytes: Buffer): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer())
  if (answer.status !== status || !body.equals(bytes)) {
    throw new Error(`Other bytes came than were delivered (status ${answer.status})`)
  }
}
