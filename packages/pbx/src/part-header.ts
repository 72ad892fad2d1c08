// Reads the header block of one multipart part: its field name, file name and content type (RFC 7578 section 4).
import { parseParameterized } from './content-type.ts'
import { PbxError } from './error.ts'

export interface PartHeader {
  readonly name: string
  readonly fileName: string | null
  readonly contentType: string | null
}

const maxHeaders = 16
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/
/** RFC 7578 section 4.7: other transfer encodings are not used with form-data, and would be stored undecoded. */
const transparentEncodings = new Set(['binary', '8bit', '7bit'])

/** `block` is the header block without the CRLF that ends its last line. Throws `PbxError('malformed')`. */
export function parsePartHeader(block: Uint8Array): PartHeader {
  const headers = new Map<string, string>()
  const text = new TextDecoder('utf-8').decode(block)
  const lines = text === '' ? [] : text.split('\r\n')
  if (lines.length > maxHeaders)
    throw new PbxError('malformed', 'A part of the multipart body has too many headers.')
  for (const line of lines) {
    const match = headerLine.exec(line)
    const [, name, value] = match ?? []
    if (name === undefined || value === undefined || value.includes('\0')) {
      throw new PbxError('malformed', 'A part of the multipart body has a header line that cannot be read.')
    }
    const key = name.toLowerCase()
    if (headers.has(key)) throw new PbxError('malformed', 'A part of the multipart body repeats a header.')
    headers.set(key, value)
  }
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!transparentEncodings.has(encoding)) {
    throw new PbxError(
      'malformed',
      'Content-Transfer-Encoding other than binary is not accepted; send the bytes as they are.',
    )
  }
  const disposition = parseParameterized(headers.get('content-disposition') ?? '')
  const name = disposition?.parameters.get('name')
  if (disposition?.value !== 'form-data' || name === undefined) {
    throw new PbxError(
      'malformed',
      'A part of the multipart body has no Content-Disposition: form-data with a name.',
    )
  }
  return {
    name,
    fileName: disposition.parameters.get('filename') ?? null,
    contentType: headers.get('content-type') ?? null,
  }
}
