// The witness as logs, customers and attackers meet it: over HTTP, on a folder, killed at any moment.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  consistencyProof,
  createTree,
  formatAddCheckpoint,
  formatCheckpoint,
  formatVerifierKey,
  leafHash,
  monitoringPath,
  nodeHash,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  verifyNote,
} from '@auricle/audit'
import { createLogger } from '@auricle/runtime'
import fc from 'fast-check'
import { type CommandFolder, openCommandFolder, type Running } from '../../../../test/command.ts'
import { newNoteSigner, signedNote } from '../../../../test/note-signer.ts'
import { runWitness } from '../commands/witness.ts'

const origin = 'log.clinic.example/anchor'
const log = newNoteSigner(origin)
const rotated = newNoteSigner(origin, 'ecdsa-p256')
const quiet = createLogger({ level: 'error', destination: { write: () => undefined } })

type Bytes = ReturnType<typeof leafHash>

/** A log of so many leaves; of another history from leaf `from` on, with another `history`. */
function makeLog(size: number, history = 'one', from = 0) {
  const leaves = Array.from({ length: size }, (_, index) =>
    leafHash(new TextEncoder().encode(`${index < from ? 'one' : history} ${index}`)),
  )
  const rootOf = (count: number): Bytes => {
    const tree = createTree()
    for (const leaf of leaves.slice(0, count)) tree.append(leaf)
    return tree.root()
  }
  const subtree = (height: number, index: number): Bytes => {
    const leaf = leaves[index]
    if (height === 0 && leaf !== undefined) return leaf
    return nodeHash(subtree(height - 1, index * 2), subtree(height - 1, index * 2 + 1))
  }
  const note = (count: number, ...signers: ReturnType<typeof newNoteSigner>[]) =>
    signedNote(
      formatCheckpoint({ origin, size: count, root: rootOf(count) }),
      ...(signers.length === 0 ? [log] : signers),
    )
  return {
    note,
    async ask(oldSize: number, to: number): Promise<string> {
      const proof =
        oldSize > to
          ? []
          : await consistencyProof(oldSize, to, async (height, index) => subtree(height, index))
      return formatAddCheckpoint({ oldSize, proof, checkpoint: note(to) })
    },
  }
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auricle-witness-'))
})
after(() => rm(folder, { recursive: true, force: true }))

let witnesses = 0

interface OpenWitness extends AsyncDisposable {
  readonly url: string
  readonly key: ReturnType<typeof parseVerifierKey>
  readonly state: string
  post(body: string | Uint8Array<ArrayBuffer>): Promise<{ status: number; type: string | null; body: string }>
  latest(): Promise<{ status: number; body: string }>
}

async function openWitness(state = join(folder, `state-${++witnesses}`)): Promise<OpenWitness> {
  const said: string[] = []
  const running = await runWitness({
    folder: state,
    name: 'witness.clinic.example',
    logs: [formatVerifierKey(log.key), formatVerifierKey(rotated.key)],
    logsFile: null,
    host: '127.0.0.1',
    port: 0,
    shutdownGraceMs: 1000,
    logger: quiet,
    print: text => said.push(text),
    signal: new AbortController().signal,
  })
  const after = (start: string) => said.find(line => line.startsWith(start))?.slice(start.length) ?? ''
  const url = after('Listening on ')
  return {
    url,
    key: parseVerifierKey(after('Witness ')),
    state,
    async post(body) {
      const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        body: await response.text(),
      }
    },
    async latest() {
      const response = await fetch(`${url}/${monitoringPath(origin)}`)
      return { status: response.status, body: await response.text() }
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

const sizeIn = (note: string): number => parseCheckpoint(parseNote(note).text).size

describe('a witness', () => {
  test('cosigns what goes on, and shows what it cosigned last', async () => {
    await using witness = await openWitness()
    const history = makeLog(300)
    assert.equal((await witness.latest()).status, 404)
    for (const [from, to] of [
      [0, 5],
      [5, 5],
      [5, 256],
      [256, 300],
    ] as const) {
      const { status, body } = await witness.post(await history.ask(from, to))
      assert.equal(status, 200, `${from} to ${to}: ${body}`)
      const { by } = await verifyNote(`${history.note(to)}${body}`, [witness.key, log.key])
      assert.equal(by.length, 2)
      const shown = await witness.latest()
      assert.equal(shown.status, 200)
      const verified = await verifyNote(shown.body, [witness.key, log.key])
      assert.equal(verified.by.length, 2)
      assert.equal(sizeIn(shown.body), to)
    }
  })

  test('gives each refusal its status, and signs nothing then', async () => {
    await using witness = await openWitness()
    const history = makeLog(40)
    assert.equal((await witness.post(await history.ask(0, 20))).status, 200)
    const stranger = newNoteSigner(origin)
    const unknown = newNoteSigner('other.example/anchor')
    const root = parseCheckpoint(parseNote(history.note(20)).text).root
    const unknownLog = signedNote(
      formatCheckpoint({ origin: 'other.example/anchor', size: 1, root }),
      unknown,
    )
    const ask = (checkpoint: string, oldSize = 20) => formatAddCheckpoint({ oldSize, proof: [], checkpoint })
    // The text of one note over the signature of another.
    const [text] = history.note(40).split('\n\n')
    const [, signatures] = history.note(20).split('\n\n')
    const forged = `${text}\n\n${signatures}`
    const good = await history.ask(20, 40)
    const withoutProof = ask(history.note(40))
    const cases: readonly (readonly [string, number, string])[] = [
      ['a stale size', 409, await history.ask(0, 40)],
      ['a size ahead', 409, await history.ask(30, 40)],
      ['an old size above the new', 400, ask(history.note(20), 21)],
      ['no proof', 422, withoutProof],
      ['a proof of something else', 422, good.replace(/^(old 20\n)([^\n]+)\n/, '$1$2\n$2\n')],
      ['an unknown log', 404, ask(unknownLog, 0)],
      ['a key that is not trusted', 403, ask(history.note(20, stranger))],
      ['a signature that is not its own', 403, ask(forged)],
      ['no request at all', 400, 'hello'],
      ['nothing', 400, ''],
      ['a size with a zero before it', 400, good.replace('old 20', 'old 020')],
      ['lines that end as on other systems', 400, good.replaceAll('\n', '\r\n')],
    ]
    const before = await witness.latest()
    for (const [what, status, body] of cases) {
      const answer = await witness.post(body)
      assert.equal(answer.status, status, `${what}: ${answer.body}`)
      if (status === 409) assert.deepEqual([answer.type, answer.body], ['text/x.tlog.size', '20\n'], what)
    }
    assert.deepEqual(await witness.latest(), before)
    assert.equal((await witness.post(good)).status, 200)
  })

  test('refuses a split view: another history, and another root of the same size', async () => {
    await using witness = await openWitness()
    const history = makeLog(30)
    assert.equal((await witness.post(await history.ask(0, 16))).status, 200)
    const other = makeLog(30, 'two', 10)
    for (const to of [16, 17, 30]) {
      const { status } = await witness.post(await other.ask(16, to))
      assert.equal(status, 422, `to ${to}`)
    }
    assert.equal(sizeIn((await witness.latest()).body), 16)
    assert.equal((await witness.post(await history.ask(16, 30))).status, 200)
  })

  test('lets one of two win that begin at the same size, also with hundreds at once', async () => {
    await using witness = await openWitness()
    const history = makeLog(80)
    assert.equal((await witness.post(await history.ask(0, 10))).status, 200)
    const fork = makeLog(80, 'two', 10)
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? history : fork).ask(10, 20 + index)),
    )
    const answers = await Promise.all(asked.map(body => witness.post(body)))
    const won = answers.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const { status } of answers) assert.ok(status === 200 || status === 409, String(status))
    const winner = answers.findIndex(({ status }) => status === 200)
    assert.equal(sizeIn((await witness.latest()).body), 20 + winner)
  })

  test('takes no large, slow or broken body for a request', async () => {
    await using witness = await openWitness()
    const history = makeLog(4)
    assert.equal((await witness.post('x'.repeat(200_000))).status, 413)
    const { port } = new URL(witness.url)
    const streamed = await new Promise<number>((resolve, reject) => {
      const sending = httpRequest(
        { port, host: '127.0.0.1', method: 'POST', path: '/add-checkpoint' },
        answer => {
          resolve(answer.statusCode ?? 0)
          answer.resume()
        },
      )
      // It answers before it has read everything, and closes.
      sending.on('error', error => ('code' in error && error.code === 'EPIPE' ? undefined : reject(error)))
      for (let piece = 0; piece < 40; piece++) sending.write('old 0\n'.repeat(1000))
      sending.end()
    })
    assert.equal(streamed, 413)
    for (const [path, method, status] of [
      ['/add-checkpoint', 'GET', 405],
      [`/${monitoringPath(origin)}`, 'DELETE', 405],
      [`/${'0'.repeat(64)}/checkpoint`, 'GET', 404],
      [`/${monitoringPath('../../etc/passwd')}`, 'GET', 404],
      ['/', 'GET', 404],
    ] as const) {
      assert.equal((await fetch(`${witness.url}${path}`, { method })).status, status, path)
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 2000 })), async body => {
        const { status } = await witness.post(typeof body === 'string' ? body : new Uint8Array(body))
        assert.ok(status === 400 || status === 404, String(status))
      }),
      { numRuns: 100 },
    )
    // A request that is changed anywhere is another request, which nobody signed, or the same in other words.
    const good = await history.ask(0, 4)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.constantFrom('A', '\n', ' ', '0', '\u2014'),
        async (at, by) => {
          if (good[at] === by) return
          const { status } = await witness.post(good.slice(0, at) + by + good.slice(at + 1))
          assert.ok(status >= 400 && status < 500, String(status))
        },
      ),
      { numRuns: 150 },
    )
    assert.equal((await witness.latest()).status, 404)
    assert.equal((await witness.post(good)).status, 200)
  })

  test('goes on from its folder, with its key; both are its owner’s alone, and one process has them', async () => {
    const state = join(folder, 'kept')
    const history = makeLog(30)
    let key: string
    {
      await using witness = await openWitness(state)
      key = formatVerifierKey(witness.key)
      assert.equal((await witness.post(await history.ask(0, 12))).status, 200)
      await assert.rejects(openWitness(state), { name: 'RuntimeError', code: 'folder_in_use' })
    }
    for (const name of (await readdir(state)).filter(name => /\.(key|checkpoint)$/.test(name)))
      assert.equal((await stat(join(state, name))).mode & 0o777, 0o600, name)
    {
      await using witness = await openWitness(state)
      assert.equal(formatVerifierKey(witness.key), key)
      assert.equal((await witness.post(await history.ask(0, 30))).status, 409)
      assert.equal((await witness.post(await history.ask(12, 30))).status, 200)
    }
    const keyFile = join(state, 'witness.key')
    await chmod(keyFile, 0o644)
    await assert.rejects(openWitness(state), { name: 'UsageError', message: /readable by others/ })
    await chmod(keyFile, 0o600)
    await writeFile(keyFile, (await readFile(keyFile, 'utf8')).replace('witness.clinic', 'another.clinic'))
    await assert.rejects(openWitness(state), { name: 'UsageError', message: /damaged/ })
  })

  test('takes no damaged state for none', async () => {
    await using witness = await openWitness()
    const history = makeLog(30)
    assert.equal((await witness.post(await history.ask(0, 12))).status, 200)
    const [name = ''] = (await readdir(witness.state)).filter(found => found.endsWith('.checkpoint'))
    const file = join(witness.state, name)
    const kept = await readFile(file, 'utf8')
    for (const damage of ['', 'x', kept.slice(0, 40)]) {
      await writeFile(file, damage)
      for (const from of [0, 12]) assert.equal((await witness.post(await history.ask(from, 30))).status, 500)
    }
    await writeFile(file, kept)
    assert.equal((await witness.post(await history.ask(12, 30))).status, 200)
  })
})

describe('the command', () => {
  let place: CommandFolder
  before(async () => {
    place = await openCommandFolder()
  })
  after(() => place[Symbol.asyncDispose]())

  const args = ['witness', '--port', '0', '--log', formatVerifierKey(log.key)]
  const urlOf = async (running: Running) =>
    /Listening on (\S+)\n/.exec(await running.said('Listening on '))?.[1] ?? ''

  test('says what it lacks in a sentence', async () => {
    const noName = await place.run(args)
    assert.deepEqual([noName.code, noName.stdout.toString()], [2, ''])
    assert.match(noName.stderr, /--name/)
    const noLog = await place.run(['witness', '--name', 'w.example', '--port', '0'])
    assert.deepEqual([noLog.code, /--log/.test(noLog.stderr)], [2, true])
    const badKey = await place.run(['witness', '--name', 'w.example', '--log', 'nonsense'])
    assert.deepEqual([badKey.code, /cannot be used/.test(badKey.stderr)], [2, true])
  })

  test('killed at any moment, it never goes back behind what it answered, nor behind what it kept', async () => {
    const history = makeLog(400)
    let known = 0
    for (let life = 0; life < 5; life++) {
      const running = place.start([...args, '--name', 'w.example'])
      const url = await urlOf(running)
      const before = await fetch(`${url}/${monitoringPath(origin)}`)
      const kept = before.status === 404 ? 0 : sizeIn(await before.text())
      // What was answered was kept; what was kept may not have been answered any more.
      assert.ok(kept === known || kept === known + 1, `${kept} after ${known}`)
      known = kept
      let killed = false
      // At any point of a request: before its state is kept, after that, after its answer.
      const kill = setTimeout(
        () => {
          killed = true
          running.child.kill('SIGKILL')
        },
        40 + Math.random() * 60,
      )
      const asking = (async () => {
        for (let size = kept; size < 400; size++) {
          const answer = await fetch(`${url}/add-checkpoint`, {
            method: 'POST',
            body: await history.ask(size, size + 1),
          })
          assert.equal(answer.status, 200)
          known = size + 1
          await answer.text()
        }
      })()
      await assert.rejects(asking, error => killed && error instanceof TypeError)
      clearTimeout(kill)
      await running.ended
    }
    assert.ok(known > 0)
  })
})
