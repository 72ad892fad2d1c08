// CSV that comes back as it went in, and that no spreadsheet computes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCsv } from './csv.ts'

/** As RFC 4180 reads it, for cells that are all quoted. */
function read(text: string): readonly (readonly string[])[] {
  assert.match(text, /\r\n$/)
  const rows: string[][] = [[]]
  let rest = text
  while (rest !== '') {
    const [cell = '', quoted = '', end = ''] = /^"((?:[^"]|"")*)"(,|\r\n)/.exec(rest) ?? assert.fail(rest)
    rows.at(-1)?.push(quoted.replaceAll('""', '"'))
    rest = rest.slice(cell.length)
    if (end === '\r\n' && rest !== '') rows.push([])
  }
  return rows
}

type Pair = readonly [string, string | null]
const format = (rows: readonly Pair[]) =>
  formatCsv<Pair>({ first: row => row[0], second: row => row[1] }, rows)

test('any text comes back, but for the mark before what would be computed', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'=+-@"\',;\r\n\t a1') }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, fc.option(anyText))), rows => {
      const [heading, ...cells] = read(format(rows))
      assert.deepEqual(heading, ['first', 'second'])
      assert.equal(cells.length, rows.length)
      for (const [index, row] of rows.entries()) {
        for (const [column, text] of row.entries()) {
          const cell = cells[index]?.[column] ?? assert.fail()
          assert.ok(cell === (text ?? '') || cell === `'${text}`, JSON.stringify([text, cell]))
          assert.doesNotMatch(cell, /^[\s\p{Cc}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/u)
        }
      }
    }),
  )
})

test('what a spreadsheet would compute is shown as text', () => {
  for (const attack of [
    '=HYPERLINK("http://evil.example","here")',
    "+1+cmd|' /C calc'!A0",
    '-2+3',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\uFF1D1',
    '%0A=1',
    '\u200B=1',
    '\uFEFF=1',
  ]) {
    const [, row] = read(format([[attack, null]]))
    assert.deepEqual(row, [`'${attack}`, ''])
  }
  for (const harmless of ['Dana', "O'Brien", '2026-01-02T03:04:05.000Z', 'a=b', 'a-b@c']) {
    const [, row] = read(format([[harmless, null]]))
    assert.deepEqual(row, [harmless, ''])
  }
})
