// The web server of a PBX that keeps its recordings to be fetched, and does not always give them whole.

import { once } from 'node:events'
import { createServer } from 'node:http'

export interface HostedAudio {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** `cut`: the first answer breaks off half way. `busy`: the first answer is 503. */
  readonly firstAnswer: 'whole' | 'cut' | 'busy'
}

export interface AudioHost extends AsyncDisposable {
  readonly origin: string
  /** How many answers were given, whole or not. */
  readonly answers: number
}

/** `find` gives what lies at a path, null for nothing. */
export async function startAudioHost(find: (path: string) => HostedAudio | null): Promise<AudioHost> {
  let answers = 0
  const asked = new Set<string>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const audio = find(path)
    answers++
    if (audio === null) {
      response.writeHead(404).end()
      return
    }
    const trouble = asked.has(path) ? 'whole' : audio.firstAnswer
    asked.add(path)
    if (trouble === 'busy') {
      response.writeHead(503, { 'retry-after': '1' }).end()
      return
    }
    response.writeHead(200, {
      'content-type': audio.contentType,
      'content-length': String(audio.bytes.length),
    })
    if (trouble === 'whole') response.end(audio.bytes)
    else response.write(audio.bytes.subarray(0, audio.bytes.length / 2), () => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get answers() {
      return answers
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
