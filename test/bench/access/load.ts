// So many requests over so many connections that stay open, each connection one after the other; how long each took.
import { Agent, request } from 'node:http'

export interface Load {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** What has to come; anything else ends the benchmark. */
  readonly status: number
  readonly connections: number
  readonly requests: number
}

/** Milliseconds from the request to the end of its answer. */
export async function runLoad({ connections, requests, ...one }: Load): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const tookMs: number[] = []
  let left = requests
  const work = async () => {
    while (left-- > 0) tookMs.push(await ask(agent, one))
  }
  await Promise.all(Array.from({ length: connections }, work))
  agent.destroy()
  return tookMs
}

function ask(
  agent: Agent,
  { port, path, headers, status }: Omit<Load, 'connections' | 'requests'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const asked = request({ agent, host: '127.0.0.1', port, path, headers }, response => {
      if (response.statusCode !== status) reject(new Error(`${path} answered ${response.statusCode}`))
      response.on('error', reject)
      response.on('end', () => resolve(performance.now() - startedMs))
      response.resume()
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  if (value === undefined) throw new RangeError('no quantile of nothing')
  return value
}
