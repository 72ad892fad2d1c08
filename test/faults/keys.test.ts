import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyType, faultTable } from './fault-table.ts'
import { googleKeys } from './google-keys.ts'
import { runMatrix } from './matrix.ts'
import { renderIntroduction, renderPort } from './page.ts'
import { writtenPage, writtenSection } from './written.ts'

test('every fault at every request to Cloud KMS comes to what docs/faults.md says', async () => {
  const rendered = renderPort(await runMatrix(googleKeys))
  assert.equal(rendered.trim(), await writtenSection(googleKeys.name), 'npm run faults writes it anew')
})

test('docs/faults.md begins as the run would write it', async () => {
  assert.ok((await writtenPage()).startsWith(renderIntroduction()), 'npm run faults writes it anew')
})

test('the table has every type of fault that the emulators know', () => {
  for (const type of Object.keys(everyType)) assert.ok(faultTable.some(({ fault }) => fault.type === type))
})
