// The monitor's own folder and the files that it follows; the command as an operator meets it.
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { digestBytes, firstState, type MonitorState } from '@auricle/vault'
import { type CommandFolder, openCommandFolder } from '../../../../test/command.ts'
import { createLineFiles } from './line-files.ts'
import { openMonitorFolder } from './state-folder.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auricle-monitor-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const tenantId = 'ten_00000000000000000000000000'

const someState = (): MonitorState => {
  const head = { size: 300, root: new Uint8Array(32).fill(7) }
  return {
    ...firstState,
    anchor: { origin: 'a.example/anchor', ...head, frontier: new Uint8Array(64), newestAt: new Date(1000) },
    logs: {
      [`a.example/t/${tenantId}/2026`]: {
        tenantId: tenantId as never,
        year: 2026,
        anchored: head,
        seen: null,
        followed: 3,
        scanned: 0,
      },
    },
    writers: {
      [tenantId]: {
        isCounted: true,
        writers: {
          wri_00000000000000000000000000: {
            seen: [[0, 4]],
            hasStarted: true,
            nextBeat: 2,
            hasStopped: false,
            eventAt: 5,
            owingAt: null,
          },
        },
      },
    },
    findings: [
      {
        name: 'fork',
        code: 'published',
        tenantId,
        year: 2026,
        seq: 300,
        eventId: null,
        since: new Date(1000),
        check: 'logs',
        foundAt: null,
      },
    ],
  }
}

describe('its folder', () => {
  test('has the state again, and belongs to one process', async () => {
    const place = join(folder, 'kept')
    const state = someState()
    {
      await using kept = await openMonitorFolder(place)
      assert.deepEqual(kept.state, firstState)
      await kept.save(state)
      await assert.rejects(openMonitorFolder(place), { code: 'folder_in_use' })
    }
    await using again = await openMonitorFolder(place)
    assert.deepEqual(again.state, state)
  })

  test('is not begun anew where the state cannot be read', async () => {
    const place = join(folder, 'damaged')
    {
      await using kept = await openMonitorFolder(place)
      await kept.save(someState())
    }
    const file = join(place, 'state.json')
    const text = await readFile(file, 'utf8')
    for (const damage of ['', '{', text.slice(0, -20), text.replace('"followed": 3', '"followed": -3')]) {
      await writeFile(file, damage)
      await assert.rejects(openMonitorFolder(place), { name: 'UsageError' })
    }
  })

  test('has digests by their numbers, and zeros where none was written', async () => {
    await using kept = await openMonitorFolder(join(folder, 'digests'))
    const digests = new Uint8Array(2 * digestBytes).fill(9)
    await kept.digests.write('a', 5, digests)
    const read = await kept.digests.read('a', 4, 4)
    const zeros = new Uint8Array(digestBytes)
    assert.deepEqual(Buffer.from(read), Buffer.concat([zeros, digests, zeros]))
    assert.deepEqual(await kept.digests.read('b', 0, 1), zeros)
  })
})

describe('files of lines', () => {
  test('are read on from where they were, whole lines only, in the order of their names', async () => {
    const place = await mkdtemp(join(folder, 'lines-'))
    const files = createLineFiles(place)
    await writeFile(join(place, 'b.ndjson'), 'one\ntwo\nthr')
    await writeFile(join(place, 'a.ndjson'), '')
    assert.deepEqual(await files.list(), ['a.ndjson', 'b.ndjson'])
    const first = await files.read('b.ndjson', 0)
    assert.deepEqual(first, { lines: ['one', 'two'], to: 8 })
    await appendFile(join(place, 'b.ndjson'), 'ee\n')
    assert.deepEqual(await files.read('b.ndjson', first.to), { lines: ['three'], to: 14 })
    assert.deepEqual(await files.read('b.ndjson', 14), { lines: [], to: 14 })
    await writeFile(join(place, 'b.ndjson'), 'new\n')
    assert.deepEqual(await files.read('b.ndjson', 14), { lines: ['new'], to: 4 })
  })

  test('may be one file, which need not be there yet', async () => {
    const file = join(folder, 'single.ndjson')
    const files = createLineFiles(file)
    assert.deepEqual(await files.list(), [])
    await writeFile(file, 'one\n')
    assert.deepEqual(await files.list(), ['single.ndjson'])
    assert.deepEqual(await files.read('single.ndjson', 0), { lines: ['one'], to: 4 })
  })

  test('with a line that is longer than any of ours do not hold the monitor up', async () => {
    const file = join(folder, 'long.ndjson')
    await writeFile(file, `${'x'.repeat(5 * 1024 * 1024)}\nlast\n`)
    const files = createLineFiles(file)
    let at = 0
    const lines: string[] = []
    for (let reading = 0; reading < 4; reading++) {
      const read = await files.read('long.ndjson', at)
      lines.push(...read.lines)
      at = read.to
    }
    assert.equal(lines.at(-1), 'last')
  })
})

describe('the command', () => {
  let place: CommandFolder
  before(async () => {
    place = await openCommandFolder()
  })
  after(() => place[Symbol.asyncDispose]())

  test('says what it lacks, joins the database that runs, and finds nothing in a vault that nobody attacked', async () => {
    const alone = await place.run(['monitor', '--once'])
    assert.equal(alone.code, 1)
    assert.match(alone.stderr, /AURICLE_MONITOR_DATABASE_URL/)
    const elsewhere = await place.run(['monitor', '--once'], {
      env: { DATABASE_URL: 'postgres://app:secret@127.0.0.1:1/auricle' },
    })
    assert.equal(elsewhere.code, 1)
    assert.match(elsewhere.stderr, /AURICLE_MONITOR_DATABASE_URL/)
    assert.doesNotMatch(elsewhere.stderr, /secret/)

    const vault = place.start(['start'])
    await vault.said('Ctrl-C stops it')
    const made = await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])
    assert.equal(made.code, 0, made.stderr)
    const once = await place.run(['monitor', '--once', '--json'])
    assert.deepEqual([once.code, once.stdout.toString()], [0, '[]\n'], once.stderr)
    const badKey = await place.run(['monitor', '--once', '--anchor-key', 'nonsense'])
    assert.equal(badKey.code, 2)

    const running = place.start(['monitor', '--port', '0', '--round', '50'])
    const url = /metrics on (\S+)\/metrics/.exec(await running.said('/metrics\n'))?.[1] ?? ''
    let ready = 0
    while (ready !== 200) ready = (await fetch(`${url}/readyz`)).status
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /auricle_monitor_findings\{finding="fork"\} 0/)
    assert.match(metrics, /auricle_monitor_failed_checks 0/)
    running.child.kill('SIGTERM')
    assert.equal((await running.ended).code, 0)
  })
})
