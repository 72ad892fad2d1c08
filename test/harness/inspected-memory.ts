// What a service still uses after a full collection, asked through Node's own inspector (--inspect on the loopback).
import { once } from 'node:events'

const answerMostMs = 60_000

export interface InspectedMemory {
  /** Objects, and buffers outside the heap. */
  readonly usedBytes: number
  /** What the process holds of the machine; the allocator gives little of it back. */
  readonly rssBytes: number
}

/** Collects all garbage first. */
export async function inspectMemory(inspectorPort: number): Promise<InspectedMemory> {
  const list = await (await fetch(`http://127.0.0.1:${inspectorPort}/json/list`)).text()
  const url = /"webSocketDebuggerUrl":\s*"([^"]+)"/.exec(list)?.[1]
  if (url === undefined) throw new Error('The inspector lists nothing to inspect')
  const socket = new WebSocket(url)
  const signal = AbortSignal.timeout(answerMostMs)
  try {
    await once(socket, 'open', { signal })
    let lastId = 0
    const call = async (method: string, params: object = {}): Promise<string> => {
      const id = ++lastId
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const onMessage = ({ data }: MessageEvent) => {
        const text = String(data)
        if (text.startsWith(`{"id":${id},`)) resolve(text)
      }
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      socket.addEventListener('message', onMessage)
      socket.send(JSON.stringify({ id, method, params }))
      try {
        return await promise
      } finally {
        socket.removeEventListener('message', onMessage)
      }
    }
    // Twice: what finalizers let go of is gone only then.
    await call('HeapProfiler.collectGarbage')
    await call('HeapProfiler.collectGarbage')
    const answer = await call('Runtime.evaluate', { expression: 'JSON.stringify(process.memoryUsage())' })
    const number = (name: string) => {
      const digits = new RegExp(`${name}[^0-9a-z]+([0-9]+)`).exec(answer)?.[1]
      if (digits === undefined) throw new Error(`The inspector did not say ${name}`)
      return Number(digits)
    }
    return { usedBytes: number('heapUsed') + number('external'), rssBytes: number('rss') }
  } finally {
    socket.close()
  }
}
