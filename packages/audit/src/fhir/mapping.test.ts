// Holds docs/fhir.md to the code: its table has the row of each action, and says what the code does.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { EventAction } from '../event.ts'
import { recipientAddress, withheldAddress } from './agents.ts'
import { withheldQuery } from './entities.ts'
import { type Mapping, mappingOf } from './mapping.ts'

const page = readFileSync(new URL('../../../../docs/fhir.md', import.meta.url), 'utf8')

function rowOf(name: string, { type, subtypes, action, family, lifecycle, purpose }: Mapping): string {
  const cells = [
    name,
    type.code,
    subtypes.map(({ code }) => code).join(', '),
    action,
    family === 'Disclosure' ? 'PrivacyDisclosure.Source' : (family ?? ''),
    lifecycle?.code ?? '',
    purpose?.code ?? '',
  ]
  return `| ${cells.join(' | ')} |`
}

test('the table of the page is that of the code', () => {
  const detail = { kind: 'disclosed', accountable: true, recipientKind: 'court' } as const
  const expected = [
    ...EventAction.options.map(action => rowOf(`\`${action}\``, mappingOf({ action }))),
    rowOf('`recording.exported` to somebody outside', mappingOf({ action: 'recording.exported', detail })),
  ]
  const rows = page.split('\n').filter(line => /^\| `[a-z_]+\.[a-z_]+`(?:[^|]*\|){7}$/.test(line))
  assert.deepEqual(rows.toSorted(), expected.toSorted())
})

test('the page names what stands for what is withheld', () => {
  for (const stand of [withheldAddress, recipientAddress, withheldQuery])
    assert.ok(page.includes(`\`${stand}\``), stand)
})
