import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { aReport, namesOfMany } from './fixture-report.ts'
import { retentionReportPdf } from './retention-report.ts'

/** The file with all that is packed in it unpacked. */
function unpacked(pdf: Uint8Array): string {
  const text = Buffer.from(pdf).toString('latin1')
  return text.replace(/stream\r?\n([\s\S]*?)\r?\nendstream/g, (stream, body: string) => {
    try {
      return inflateSync(Buffer.from(body, 'latin1')).toString('latin1')
    } catch {
      return stream
    }
  })
}

const pagesOf = (text: string) => text.match(/\/Type \/Page\b(?!s)/g)?.length ?? 0

test('it is a PDF with a title and a language, whose fonts are in it and whose pages are there', async () => {
  const pdf = await retentionReportPdf(aReport(60))
  const text = unpacked(pdf)
  assert.ok(text.startsWith('%PDF-1.7'))
  for (const sign of ['/Lang (en-US)', '/DisplayDocTitle true', '/Title ', '/FontFile2'])
    assert.ok(text.includes(sign), `${sign} is not in it`)
  const [short, long] = [pagesOf(unpacked(await retentionReportPdf(aReport(0)))), pagesOf(text)]
  assert.ok(short >= 7 && long > short, `${short} pages, then ${long}`)
  // Nothing in it runs, opens or asks for anything.
  const actions = /\/(JavaScript|JS|OpenAction|Launch|URI|SubmitForm|EmbeddedFile)\b/.exec(text)
  assert.equal(actions, null)
})

test('letters of German, Spanish, Polish and Czech have their signs in it', async () => {
  const text = unpacked(await retentionReportPdf(aReport(1)))
  const mapped = new Set(
    [...text.matchAll(/<([0-9a-f]{4})>/gi)].map(([, digits = '']) =>
      String.fromCodePoint(Number.parseInt(digits, 16)),
    ),
  )
  const letters = new Set(
    namesOfMany
      .slice(0, 4)
      .join('')
      .match(/[^\p{ASCII}]/gu),
  )
  assert.ok(letters.size > 15)
  for (const letter of letters) assert.ok(mapped.has(letter), `${letter} has no sign`)
})

test('sections that were not asked for take no page, and an empty report is one all the same', async () => {
  const { tenant, asOf, madeAt, zone } = aReport(0)
  const none = { status: null, due: null, overdue: null, holds: null, destroyed: null }
  const pdf = await retentionReportPdf({
    ...{ tenant, asOf, madeAt, zone, ...none, reconciliation: { run: null }, storage: null },
  })
  assert.equal(pagesOf(unpacked(pdf)), 1)
})

test('the same report makes the same bytes', async () => {
  const [one, other] = await Promise.all([retentionReportPdf(aReport(3)), retentionReportPdf(aReport(3))])
  assert.deepEqual(one, other)
})
