// Reads a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) as it streams, without copying part contents.
//
// Pulled, not pushed: nothing is read from the body before the caller asks for the next event, so a slow caller slows
// the socket, and a caller that stops leaves nothing running.
import { parseParameterized } from './content-type.ts'
import { PbxError } from './error.ts'
import { type PartHeader, parsePartHeader } from './part-header.ts'

export type MultipartEvent =
  | { readonly type: 'part'; readonly header: PartHeader }
  /** Bytes of the latest part: a view of the chunk they arrived in, to be used before the next event is asked for. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }

const maxParts = 16
const maxHeaderBlockBytes = 8 * 1024
/** Bytes before the first and after the last delimiter carry nothing (RFC 2046 section 5.1.1). */
const maxIgnoredBytes = 1024

const crlf = Buffer.from('\r\n')
const blankLine = Buffer.from('\r\n\r\n')
const carriageReturn = 0x0d
const lineFeed = 0x0a
const dash = 0x2d
/** RFC 2046 section 5.1.1. No CR: so a delimiter can never begin inside a delimiter. */
const boundaryForm = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/

/** The boundary of a `multipart/form-data` content type; null for any other type or an invalid boundary. */
export function multipartBoundary(contentType: string): string | null {
  const parsed = parseParameterized(contentType)
  if (parsed?.value !== 'multipart/form-data') return null
  const boundary = parsed.parameters.get('boundary')
  return boundary !== undefined && boundaryForm.test(boundary) ? boundary : null
}

const malformed = (message: string) => new PbxError('malformed', message)

/**
 * Yields each part's header and then its bytes. Ends after the whole body was read and the closing delimiter seen;
 * otherwise throws `PbxError('malformed')`, or what `body` throws.
 */
export async function* readMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<MultipartEvent, void, undefined> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  let state: 'preamble' | 'delimited' | 'headers' | 'data' | 'epilogue' = 'preamble'
  // The first delimiter needs no line break before it: start as if one had been seen.
  let matched = crlf.length
  let after: number | null = null
  let block: Buffer = Buffer.alloc(0)
  let ignoredBytes = 0
  let parts = 0

  const ignore = (bytes: number) => {
    ignoredBytes += bytes
    if (ignoredBytes > maxIgnoredBytes)
      throw malformed('The multipart body has too many bytes outside its parts.')
  }

  for await (const piece of body) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let offset = 0
    while (offset < chunk.length) {
      switch (state) {
        case 'preamble':
        case 'data': {
          if (matched > 0) {
            const length = Math.min(delimiter.length - matched, chunk.length - offset)
            if (chunk.compare(delimiter, matched, matched + length, offset, offset + length) === 0) {
              matched += length
              offset += length
            } else {
              if (state === 'data') yield { type: 'data', bytes: delimiter.subarray(0, matched) }
              else ignore(matched)
              matched = 0
            }
          } else {
            const found = chunk.indexOf(delimiter, offset)
            const end: number = found === -1 ? partialDelimiter(chunk, delimiter, offset) : found
            if (end > offset) {
              if (state === 'data') yield { type: 'data', bytes: chunk.subarray(offset, end) }
              else ignore(end - offset)
            }
            matched = found === -1 ? chunk.length - end : delimiter.length
            offset = end + matched
          }
          if (matched === delimiter.length) {
            matched = 0
            after = null
            state = 'delimited'
          }
          break
        }
        case 'delimited': {
          const byte: number | undefined = chunk[offset]
          offset += 1
          if (after === null) {
            after = byte ?? null
          } else if (after === dash && byte === dash) {
            state = 'epilogue'
            ignoredBytes = 0
          } else if (after === carriageReturn && byte === lineFeed) {
            parts += 1
            if (parts > maxParts) throw malformed('The multipart body has too many parts.')
            state = 'headers'
            block = crlf
          } else {
            throw malformed('The multipart body has a delimiter that is not followed by a line break.')
          }
          break
        }
        case 'headers': {
          const before: number = block.length
          block = Buffer.concat([block, chunk.subarray(offset, offset + maxHeaderBlockBytes)])
          const end: number = block.indexOf(blankLine)
          if (end === -1) {
            if (block.length > maxHeaderBlockBytes)
              throw malformed('A part of the multipart body has headers that are too long.')
            offset = chunk.length
          } else {
            offset += end + blankLine.length - before
            state = 'data'
            yield {
              type: 'part',
              header: parsePartHeader(block.subarray(crlf.length, Math.max(end, crlf.length))),
            }
          }
          break
        }
        case 'epilogue':
          ignore(chunk.length - offset)
          offset = chunk.length
          break
        default:
          state satisfies never
      }
    }
  }
  if (state !== 'epilogue') throw malformed('The multipart body ends before its closing delimiter.')
}

/** Where the delimiter may begin in the last bytes of `chunk`; its length if it cannot. */
function partialDelimiter(chunk: Buffer, delimiter: Buffer, from: number): number {
  const start = Math.max(from, chunk.length - delimiter.length + 1)
  const tail = chunk.subarray(start)
  const at = tail.lastIndexOf(carriageReturn)
  if (at === -1 || tail.compare(delimiter, 0, tail.length - at, at) !== 0) return chunk.length
  return start + at
}
