// The page of the matrix, docs/faults.md: written by the run, and held against what is there by the tests.
import { googleKeyDefaults } from '@auricle/keys/google'
import { googleStoreDefaults } from '@auricle/objects/google'
import type { Cell, Outcome, Place, Undisturbed } from './cell.ts'
import { faultTable } from './fault-table.ts'
import { keyAttemptsMost } from './google-keys.ts'
import { objectTriesMost } from './google-objects.ts'
import type { OperationMatrix, PortMatrix, Row } from './matrix.ts'

export function renderIntroduction(): string {
  return `# Faults

What happens when Cloud Storage or Cloud KMS fails in the middle of something: what the caller sees, what is left behind,
and how it heals. **The tables are made by a run, not by hand.** \`npm run faults\` runs every operation with every fault
at every request of it, against emulators of the two services over a socket, and writes this page; \`npm test\` runs the
same and fails where the page says otherwise.

For an operator it comes down to this:

- One fault is hardly ever noticed: the adapter tries again, with a pause, as long as the service asks for.
- A fault that lasts is an error after a bounded number of requests, never an endless wait. \`unavailable\` means that the
  same call may succeed later. Jobs are tried again by themselves; a PBX or a player is told to come again.
- \`denied\` means that the service does not take the identity, even with a fresh token. Look at the service account.
- After the fault, the same call again ends in the right state. Nothing has to be cleaned up by hand.
- \`damaged\` means that what was read is not what its checksum says. Read it again: if the bytes changed on their way it is
  right the next time, and if they rotted where they lie it is not. The recovery store has them.
- Bytes that changed on their way are never taken for the right ones: not when they are stored, not when a key is
  unwrapped, not when an object is read whole. A range of an object has no checksum, so a wrong byte in it gets through
  this port and is caught above it: each segment of a sealed recording carries a tag.

Every cell was held against the same rules: no other bytes than those that were put; no short read that looks whole; never
a second object under a key, nor one replaced; nothing gone that is kept; no error but the port's own, with a bounded
number of requests before it; and exactly the right state when the same call was made again.

## The faults

| fault | what it is |
|---|---|
${faultTable.map(({ name, meaning }) => `| ${name} | ${meaning} |`).join('\n')}

Each strikes one request (**once**) or that one and all of its kind after it (**lasting**). The run waits less and tries
less often than a vault does, so more faults in a row become an error here than there:

| | attempts of one request | one attempt | all attempts |
|---|---|---|---|
| Cloud Storage, in the run | ${objectTriesMost} | 1 s where it is slow | ${seconds(googleStoreDefaults.totalTimeoutMs)} |
| Cloud Storage, in a vault | ${googleStoreDefaults.triesMost} | ${seconds(googleStoreDefaults.tryTimeoutMs)} | ${seconds(googleStoreDefaults.totalTimeoutMs)} |
| Cloud KMS, in the run | ${keyAttemptsMost} | 1 s where it is slow | 5 s where it is slow |
| Cloud KMS, in a vault | ${googleKeyDefaults.attemptsMost} | ${seconds(googleKeyDefaults.attemptTimeoutMs)} | ${seconds(googleKeyDefaults.callTimeoutMs)} |

A request with an expired token is made again at once with a new one, and so is a call to Cloud KMS whose bytes were
corrupt; neither counts as an attempt.

## What may be left, and who clears it

- **The object, although the caller saw an error.** The answer was lost, the object is whole. The same put again says
  \`exists\` and tells its facts; deleting again says \`absent\`.
- **Open uploads.** The address of an upload was lost before anything was sent. Nobody sees them, nothing can be read of
  them, and Cloud Storage ends them after a week.
- **A version of a key more than was asked for.** It does no harm: the newest is in use, all of them unwrap.
- **A version of a key that is not in use.** A rotation broke off in the middle. Rotate again.
`
}

export function renderPort({ name, operations }: PortMatrix): string {
  const names = faultTable.map(fault => fault.name)
  const summary = operations.map(operation => [
    operation.name,
    ...names.map(fault => inShort(operation, fault)),
  ])
  return `## ${name}

What the caller sees, once / lasting. \`healed\`: nothing. \`–\`: the fault cannot befall any request of it; below, a fault
that stands beside no request cannot befall that one. \`may pass\`: the error says that the same call may succeed later.

${table(['', ...names], summary)}

${operations.map(renderOperation).join('\n\n')}
`
}

/** Of all requests of the operation that the fault can strike. */
function inShort({ rows }: OperationMatrix, faultName: string): string {
  const observed = rows.flatMap(row => (row.fault.name === faultName ? (row.observed ?? []) : []))
  if (observed.length === 0) return '–'
  const once = new Set(observed.map(cells => shortOutcome(cells.once)))
  const lasting = new Set(observed.map(cells => shortOutcome(cells.always)))
  return `${[...once].toSorted().join(' or ')} / ${[...lasting].toSorted().join(' or ')}`
}

function shortOutcome({ outcome, again }: Cell): string {
  if ('error' in outcome && again !== null) return `\`${outcome.error.code}\``
  if ('said' in outcome && outcome.said.includes('wrong')) return 'a wrong byte'
  if ('said' in outcome && outcome.said.startsWith('a finding')) return 'a finding'
  return 'healed'
}

function renderOperation({ name, undisturbed, rows }: OperationMatrix): string {
  const requests = Object.entries(undisturbed.requests).map(
    ([request, count]) => `\`${request}\`${count === 1 ? '' : ` ${count} times`}`,
  )
  const befalls = rows.filter(row => row.observed !== null)
  const cells = grouped(befalls, row => JSON.stringify([row.place, row.observed])).map(group => {
    const [{ place, observed }] = group
    if (observed === null) return []
    const { once, always } = observed
    return [
      at(place),
      group.map(row => row.fault.name).join(', '),
      `${words(once)}${leftover(once, undisturbed)}${healing(once, undisturbed)}`,
      words(always),
      always.left,
      always.again === null ? '' : afterwards(always.again, undisturbed),
    ]
  })
  return `### ${name}

Without a fault: ${said(undisturbed.outcome)}; ${requests.join(', then ')}; leaves ${undisturbed.left}.

${table(['struck', 'by', 'once', 'lasting', 'left while it lasts', 'the same call afterwards'], cells)}`
}

const words = ({ outcome, requests }: Cell): string =>
  `${said(outcome)}, ${requests} request${requests === 1 ? '' : 's'}`

function said(outcome: Outcome): string {
  if ('said' in outcome) return outcome.said
  return `\`${outcome.error.code}\`${outcome.error.transient ? ', may pass' : ''}`
}

/** What a call left that succeeded, where it is more than without a fault. */
function leftover({ left, again }: Cell, undisturbed: Undisturbed): string {
  return again !== null || left === undisturbed.left ? '' : `, leaves ${left}`
}

function healing({ again }: Cell, undisturbed: Undisturbed): string {
  return again === null ? '' : `; the same call: ${afterwards(again, undisturbed)}`
}

function afterwards({ outcome, left }: NonNullable<Cell['again']>, undisturbed: Undisturbed): string {
  return left === undisturbed.left ? said(outcome) : `${said(outcome)}, leaves ${left}`
}

const at = ({ request, which }: Place): string => `${which === 'only' ? '' : `${which} `}\`${request}\``

type Group = [Row, ...Row[]]

/** In the order of the first of each. */
function grouped(rows: readonly Row[], keyOf: (row: Row) => string): Group[] {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return [...groups.values()]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
