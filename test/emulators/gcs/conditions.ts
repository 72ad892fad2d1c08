// Preconditions by generation and metageneration, as query parameters.
import { conditionNotMet, invalid, Refusal } from './refusal.ts'

export interface Conditions {
  readonly generationMatch: string | null
  readonly generationNotMatch: string | null
  readonly metagenerationMatch: string | null
  readonly metagenerationNotMatch: string | null
}

interface Versioned {
  readonly generation: string
  readonly metageneration: number
}

/** `of` is '' for the object itself and 'Source' for what is copied from. */
export function parseConditions(query: URLSearchParams, of: '' | 'Source' = ''): Conditions {
  return {
    generationMatch: int64(query, `if${of}GenerationMatch`),
    generationNotMatch: int64(query, `if${of}GenerationNotMatch`),
    metagenerationMatch: int64(query, `if${of}MetagenerationMatch`),
    metagenerationNotMatch: int64(query, `if${of}MetagenerationNotMatch`),
  }
}

/** A decimal number of 64 bits in the query; null where there is none. */
export function int64(query: URLSearchParams, name: string): string | null {
  const value = query.get(name)
  if (value === null) return null
  if (!/^\d{1,19}$/.test(value)) throw invalid(`Invalid value for ${name}: ${value}`)
  return value.replace(/^0+(?=\d)/, '')
}

/** `object` is null where there is none: then only `ifGenerationMatch=0` holds, and every `NotMatch` of a generation. */
export function checkConditions(conditions: Conditions, object: Versioned | null): void {
  const generation = object?.generation ?? '0'
  const metageneration = object === null ? null : String(object.metageneration)
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions
  if (generationMatch !== null && generationMatch !== generation) throw conditionNotMet()
  if (metagenerationMatch !== null && metagenerationMatch !== metageneration) throw conditionNotMet()
  if (generationNotMatch !== null && generationNotMatch === generation) throw conditionNotMet()
  if (metagenerationNotMatch !== null && metagenerationNotMatch === metageneration) throw conditionNotMet()
}

/** The same for reading, where a `NotMatch` that does not hold means that nothing has changed. */
export function checkReadConditions(conditions: Conditions, object: Versioned): void {
  checkConditions({ ...conditions, generationNotMatch: null, metagenerationNotMatch: null }, object)
  const unchanged =
    conditions.generationNotMatch === object.generation ||
    conditions.metagenerationNotMatch === String(object.metageneration)
  if (unchanged) throw new Refusal(304, 'notModified', 'Not Modified')
}
