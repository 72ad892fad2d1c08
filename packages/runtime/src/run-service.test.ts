import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { disableCoreDumps } from './core-dumps.ts'

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Runs a service of its own process; `body` is what `start` does. */
function run(body: string, { graceMs = 10_000, sameSignalMs = 10_000 } = {}): Child {
  const program = `
    import { runService } from ${JSON.stringify(import.meta.resolve('./run-service.ts'))}
    import { createLogger } from ${JSON.stringify(import.meta.resolve('./logger.ts'))}
    await runService({ process, logger: createLogger(), shutdownGraceMs: ${graceMs}, sameSignalMs: ${sameSignalMs}, start: async ({ signal }) => { ${body} } })
    console.log('left')`
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const service = (dispose: string) =>
  `console.log('up'); return { async [Symbol.asyncDispose]() { ${dispose} } }`

/** Sends each signal once the child has said something new, and returns how it all ended. */
async function signalled(child: Child, signals: readonly NodeJS.Signals[]) {
  let said = ''
  const log = text(child.stderr)
  const ended = once(child, 'close')
  for (const signal of signals) {
    const [chunk] = await once(child.stdout, 'data')
    said += String(chunk)
    child.kill(signal)
  }
  child.stdout.on('data', chunk => {
    said += String(chunk)
  })
  const [code, signal] = await ended
  return { code, signal, said, log: await log }
}

describe('runService', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops in order after ${signal}, and leaves by itself`, async () => {
      const child = run(service(`console.log('down', signal.aborted, signal.reason.name)`))
      const { code, said } = await signalled(child, [signal])
      assert.equal(said, 'up\ndown true AbortError\nleft\n')
      assert.equal(code, 0)
    })
  }

  it('ends at once at the second signal', async () => {
    const child = run(
      service(`
        await new Promise(resolve => setTimeout(resolve, 100))
        console.log('down')
        await new Promise(resolve => setTimeout(resolve, 3_600_000))`),
      { sameSignalMs: 0 },
    )
    assert.equal((await signalled(child, ['SIGINT', 'SIGINT'])).code, 130)
  })

  it('takes the signal that npm sends again for the first one', async () => {
    const child = run(
      service(`
        console.log('down')
        await new Promise(resolve => process.once('SIGINT', resolve))
        console.log('again')`),
    )
    const { code, said } = await signalled(child, ['SIGINT', 'SIGINT'])
    assert.equal(said, 'up\ndown\nagain\nleft\n')
    assert.equal(code, 0)
  })

  it('ends when the grace is over, saying so', async () => {
    const child = run(service(`await new Promise(resolve => setTimeout(resolve, 3_600_000))`), {
      graceMs: 50,
    })
    const { code, log } = await signalled(child, ['SIGTERM'])
    assert.equal(code, 1)
    assert.match(log, /took too long/)
  })

  it('ends when the grace is over although everything closed but something was forgotten', async () => {
    const child = run(`setInterval(() => {}, 3_600_000); ${service('')}`, { graceMs: 50 })
    const { code, said } = await signalled(child, ['SIGTERM'])
    assert.equal(said, 'up\nleft\n')
    assert.equal(code, 1)
  })

  for (const [how, body] of [
    ['with the reason', 'signal.throwIfAborted()'],
    ['with what broke for it', `throw new Error('a tool ended')`],
  ] as const) {
    it(`takes a start that gives up when told to stop, ${how}, for no failure`, async () => {
      const child = run(`
        console.log('starting')
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        ${body}`)
      const { code, log } = await signalled(child, ['SIGTERM'])
      assert.equal(code, 0)
      assert.doesNotMatch(log, /failed|tool/)
    })
  }

  it('logs a failed start, without words that are not ours, and exits with 1', async () => {
    const { code, log, said } = await signalled(run(`throw new Error('+15550001111')`), [])
    assert.equal(code, 1)
    assert.equal(said, 'left\n')
    assert.match(log, /The service failed/)
    assert.doesNotMatch(log, /5550001111/)
  })

  for (const [what, body] of [
    ['an error nobody caught', `setTimeout(() => { throw new Error('+15550001111') })`],
    ['a rejection nobody handled', `setTimeout(() => { Promise.reject(new Error('+15550001111')) })`],
  ] as const) {
    it(`stops in order after ${what}, and does not print it`, async () => {
      const { code, said, log } = await signalled(run(`${body}; ${service(`console.log('down')`)}`), [])
      assert.equal(said, 'up\ndown\nleft\n')
      assert.equal(code, 1)
      assert.match(log, /nobody/)
      assert.doesNotMatch(log, /5550001111/)
    })
  }

  it('logs what disposing threw, and exits with 1', async () => {
    const { code, log } = await signalled(run(service(`throw new TypeError('x')`)), ['SIGTERM'])
    assert.equal(code, 1)
    assert.match(log, /TypeError/)
  })
})

it('disableCoreDumps leaves all memory out of dumps', async () => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  try {
    await once(child, 'spawn')
    assert.ok(child.pid !== undefined)
    const isLinux = process.platform === 'linux'
    assert.equal(await disableCoreDumps({ pid: child.pid }), isLinux)
    if (isLinux) {
      assert.equal((await readFile(`/proc/${child.pid}/coredump_filter`, 'utf8')).trim(), '00000000')
      assert.match(await readFile(`/proc/${child.pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0\s/m)
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
})
