// Which of the content types on offer a client wants (RFC 9110 section 12.5.1).

interface MediaRange {
  readonly type: string
  readonly subtype: string
  readonly parameters: ReadonlyMap<string, string>
  /** 0 to 1. */
  readonly quality: number
}

/** Of FHIR's own media types: which release of FHIR is spoken. Ours is R4. */
const versionParameter = 'fhirversion'
const fhirVersions = ['4.0', '4.0.1']

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const quality = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * The offer that the header wants most, null where it wants none of them. Of two that are wanted alike, the one that is
 * named more exactly, then the one that is named first, then the one that is offered first. Whoever says nothing, or
 * nothing that can be read, is given the first. Parameters do not matter but for FHIR's version.
 */
export function preferredType<Offer extends string>(
  header: string | undefined,
  offers: readonly [Offer, ...Offer[]],
): Offer | null {
  const ranges = splitOutsideQuotes(header ?? '', ',').flatMap(text => rangeOf(text) ?? [])
  if (ranges.length === 0) return offers[0]
  const wanted = offers.flatMap((offer, order) => {
    const matches = ranges
      .map((range, place) => ({ range, place, exactness: exactnessOf(range, offer) }))
      .filter(({ exactness }) => exactness > 0)
      // The most exact range is the one that counts for an offer, also where it says 0.
      .sort((a, b) => b.exactness - a.exactness || a.place - b.place)
    const [match] = matches
    return match === undefined || match.range.quality === 0 ? [] : [{ offer, order, ...match }]
  })
  wanted.sort(
    (a, b) =>
      b.range.quality - a.range.quality ||
      b.exactness - a.exactness ||
      a.place - b.place ||
      a.order - b.order,
  )
  return wanted[0]?.offer ?? null
}

/** 0 where the range does not cover the offer. */
function exactnessOf({ type, subtype, parameters }: MediaRange, offer: string): number {
  const version = parameters.get(versionParameter)
  if (version !== undefined && !fhirVersions.includes(version)) return 0
  if (type === '*') return 1
  const [offeredType, offeredSubtype] = offer.split('/')
  if (type !== offeredType) return 0
  if (subtype === '*') return 2
  return subtype === offeredSubtype ? 3 : 0
}

function rangeOf(text: string): MediaRange | null {
  const [name = '', ...rest] = splitOutsideQuotes(text, ';').map(part => part.trim())
  const [type = '', subtype = '', ...more] = name.toLowerCase().split('/')
  if (!token.test(type) || !token.test(subtype) || more.length > 0 || (type === '*' && subtype !== '*'))
    return null
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const at = part.indexOf('=')
    if (at > 0) parameters.set(part.slice(0, at).trim().toLowerCase(), unquoted(part.slice(at + 1).trim()))
  }
  const said = parameters.get('q')
  if (said !== undefined && !quality.test(said)) return null
  return { type, subtype, parameters, quality: said === undefined ? 1 : Number(said) }
}

const unquoted = (text: string): string =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = ['']
  let isQuoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (isQuoted && character === '\\') {
      parts.push(`${parts.pop()}${character}${text.charAt(++index)}`)
      continue
    }
    if (character === '"') isQuoted = !isQuoted
    if (character === separator && !isQuoted) parts.push('')
    else parts.push(`${parts.pop()}${character}`)
  }
  return parts
}
