// The two verifiers as programs: what they take, what they print, how they end.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { bytesOf, makeBundle } from './bundle-fixture.ts'

const here = dirname(fileURLToPath(import.meta.url))
const offline = join(dirname(dirname(here)), 'packages', 'audit', 'offline', 'auricle-verify.mjs')
const { lines, policy, at } = makeBundle({
  years: [2025, 2026],
  eventsEach: 20,
  seed: 11,
  witnesses: 2,
  quorum: 2,
})

describe('the verifiers as programs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auricle-verifier-'))
  const file = (name: string) => join(folder, name)
  // Copied out of the tree, as an outsider has it: nothing of ours lies beside it.
  const programs = [
    [process.execPath, file('auricle-verify.mjs')],
    ['python3', join(here, 'auricle_verify.py')],
  ] as const

  before(() => {
    copyFileSync(offline, file('auricle-verify.mjs'))
    writeFileSync(file('good'), bytesOf(lines))
    writeFileSync(file('good.gz'), gzipSync(bytesOf(lines)))
    const index = lines.findIndex(line => line.includes('"seq":5,'))
    const altered = lines.map((line, place) => (place === index ? line.replace('"seq":5', '"seq":4') : line))
    writeFileSync(file('altered'), bytesOf(altered))
    writeFileSync(file('short'), bytesOf(lines.slice(0, -1)))
    writeFileSync(file('policy'), policy)
    writeFileSync(file('no-policy'), 'nonsense\n')
    writeFileSync(file('latin'), Buffer.from([0x23, 0xff, 0x0a]))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const run = ([program, script]: readonly [string, string], ...args: readonly string[]) =>
    spawnSync(program, [script, ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: {} satisfies NodeJS.ProcessEnv,
    })
  const moment = ['--at', at.toISOString()]

  const endings: readonly (readonly [exit: number, ...args: string[]])[] = [
    [0, 'good', '--policy', 'policy', ...moment],
    [0, '--policy', 'policy', ...moment, 'good.gz'],
    [0, 'good', '--trust-bundled-policy', ...moment],
    [0, 'good', '--policy', 'policy', '--at', '2026-03-02', '--max-age-hours', '48'],
    [2, 'good', '--policy', 'policy', '--at', '2026-03-05'],
    [2, 'good', '--policy', 'policy', '--at', '2026-03-02T00:00:00Z', '--max-age-hours', '0.5'],
    [2, 'good', ...moment],
    [1, 'altered', '--policy', 'policy', ...moment],
    [2, 'short', '--policy', 'policy', ...moment],
    [3],
    [3, 'good', 'altered'],
    [3, 'good', '--policy'],
    [3, 'good', '--policy', 'absent'],
    [3, 'good', '--policy', 'no-policy'],
    [3, 'good', '--policy', 'latin'],
    [3, 'absent', '--policy', 'policy'],
    [3, '.', '--policy', 'policy'],
    [3, 'good', '--at', 'yesterday'],
    [3, 'good', '--max-age-hours', '-1'],
    [3, 'good', '--unknown'],
  ]
  for (const [exit, ...args] of endings) {
    it(`end with ${exit}: ${args.join(' ').replace(at.toISOString(), 'TIME') || 'nothing given'}`, () => {
      const [byNode, byPython] = programs.map(program => run(program, ...args, '--json'))
      assert.equal(byNode?.status, exit, byNode?.stderr)
      assert.equal(byPython?.status, exit, byPython?.stderr)
      if (exit === 3) {
        assert.equal(byNode.stdout, '')
        assert.notEqual(byNode.stderr, '')
      } else {
        assert.equal(byNode.stderr, '')
        assert.deepEqual(JSON.parse(byNode.stdout), JSON.parse(byPython.stdout))
      }
    })
  }

  it('the one for people says what was trusted, what is there, and how much of it was asked for', () => {
    const { stdout } = run(programs[0], 'good', '--policy', 'policy', ...moment)
    assert.match(stdout, /^OK: the log holds\.\n/)
    assert.match(stdout, /Trusted: the keys of the policy file/)
    assert.match(stdout, /signed by vault\.example\/anchor\+[0-9a-f]{8}/)
    assert.match(stdout, /signed by witness1\.example/)
    assert.match(stdout, /Log: vault\.example\/t\/ten_\w+\/2025, entries 0 to \d+, root \S{44}\n/)
    assert.match(stdout, /Events: \d+, from 2025-03-01T08:00:0\S+Z to 2026-03-01T08:\S+Z\n/)
    assert.match(stdout, /Asked for: everything\n/)
    assert.match(stdout, /By action:\n( +\d+ {2}[a-z_.]+\n)+By person:\n( +\d+ {2}\w+ \w+\n)+$/)
  })

  it('and names the first bad place in a sentence', () => {
    const { stdout } = run(programs[0], 'altered', '--policy', 'policy', ...moment)
    assert.match(
      stdout,
      /^TAMPERED: .*\nFirst bad place: The line stands where it may not: .* \(order, line 9\)\n/,
    )
    const unpinned = run(programs[0], 'good', ...moment)
    assert.match(unpinned.stdout, /^UNSIGNED: .*\nFirst bad place: No key was given to trust/)
    assert.match(unpinned.stdout, /Trusted: nothing\n/)
  })
})
