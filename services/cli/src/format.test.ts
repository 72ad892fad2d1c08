import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatDuration } from './format.ts'
import { formatTable, visible } from './table.ts'

test('sizes read as people say them', () => {
  const expected: readonly [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [9949, '9.9 KB'],
    [12_345, '12 KB'],
    [2_000_000_000, '2.0 GB'],
    [5e15, '5000 TB'],
  ]
  for (const [bytes, text] of expected) assert.equal(formatBytes(bytes), text)
})

test('lengths of time read as a player shows them', () => {
  assert.equal(formatDuration(null), '-')
  assert.equal(formatDuration(30_310), '0:30')
  assert.equal(formatDuration(59_600), '1:00')
  assert.equal(formatDuration(3_727_000), '1:02:07')
})

test('a table is as wide as its cells and sends no control character to the terminal', () => {
  const columns = [
    { title: 'from', cell: (row: { from: string; n: number }) => row.from },
    { title: 'n', align: 'right' as const, cell: (row: { from: string; n: number }) => String(row.n) },
  ]
  const table = formatTable(columns, [
    { from: 'evil\u{1B}[2Jname', n: 1 },
    { from: 'x', n: 100 },
  ])
  assert.deepEqual(table.split('\n'), ['FROM            N', 'evil\u{FFFD}[2Jname    1', 'x             100'])
  assert.equal(visible('a\u202Eb\nc'), 'a\u{FFFD}b\u{FFFD}c')
})
