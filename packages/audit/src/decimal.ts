// Sizes and indexes in text: ASCII decimal, one spelling for each number.

/** The number, up to 2^53 - 1, that `String` writes as this text; null for every other text. */
export function parseDecimal(text: string): number | null {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
