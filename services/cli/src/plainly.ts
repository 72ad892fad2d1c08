// A refusal is for the person to read, in one sentence; all else is a failure.
import { VaultError } from '@auricle/vault'
import type { z } from 'zod'
import { UsageError } from './error.ts'

export async function plainly<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof VaultError) || error.code === 'damaged') throw error
    const sentence =
      error.code === 'step_up_required'
        ? 'Your second factor was shown too long ago: sign in again with `auricle login`, then repeat this'
        : error.message
    throw new UsageError(sentence, { cause: error })
  }
}

/** What was given, parsed; each thing that is wrong by its rule, in the words of options. */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  given: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, string>>,
): z.infer<Schema> {
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const parsed = schema.safeParse(present)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => rules[path.join('.')] ?? message)
  throw new UsageError([...new Set(wrong)].join('; '), { cause: parsed.error })
}
