// `auricle audit receipt`: whether the log keeps what a receipt promised.
import { can } from '@auricle/identity'
import { type CheckedReceipt, checkReceipt, type RequestFacts } from '@auricle/vault'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { plainly } from '../plainly.ts'

const sentences: Readonly<Record<CheckedReceipt['verdict'], string>> = {
  kept: 'KEPT: the log holds the event, and proves it.',
  waiting: 'WAITING: the event is stored and not sealed yet. Ask again in a minute.',
  altered:
    'ALTERED: the log holds another event than the receipt was given for. Keep the receipt: it is evidence.',
  missing: 'MISSING: the log does not hold the event. Keep the receipt: it is evidence.',
  unsigned: 'UNSIGNED: no key of this vault vouches for this receipt.',
}

/** True where the log keeps it, or may still. */
export async function checkOneReceipt(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<boolean> {
  const { signer, config } = operator
  const parts = { ...operator, keys: { signer }, decide: can, logName: config.logName }
  const checked = await plainly(checkReceipt(parts, person, text, operator))
  const { verdict, event, at, shown } = checked
  const place = shown?.place ?? null
  const lines = [
    sentences[verdict],
    `Receipt:   of ${event}, given at ${at}`,
    ...(place === null ? [] : [`In the log: number ${place.seq} of ${place.year}`]),
  ]
  output.value({ verdict, event, at, place, proof: shown?.proof ?? null }, lines.join('\n'))
  return verdict === 'kept' || verdict === 'waiting'
}
