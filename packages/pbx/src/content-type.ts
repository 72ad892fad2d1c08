// Splits `Content-Type` and `Content-Disposition` values into their name and parameters (RFC 9110 section 5.6.6).

export interface ParameterizedValue {
  /** Lower case: `multipart/form-data`, `form-data`. */
  readonly value: string
  /** Lower-case names; the first of repeated names counts, as for every mainstream parser. */
  readonly parameters: ReadonlyMap<string, string>
}

const maxLength = 2048
const leading = /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z/-]+)[ \t]*/
const parameter = /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?[ \t]*/y

/** Null where the value is not of the form `name; key=value; key="value"` or is longer than 2048 characters. */
export function parseParameterized(text: string): ParameterizedValue | null {
  if (text.length > maxLength) return null
  const start = leading.exec(text)
  if (start?.[1] === undefined) return null
  const parameters = new Map<string, string>()
  let offset = start[0].length
  while (offset < text.length) {
    parameter.lastIndex = offset
    const match = parameter.exec(text)
    if (match === null) return null
    offset = parameter.lastIndex
    const [, name, quoted, plain] = match
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  }
  return { value: start[1].toLowerCase(), parameters }
}
