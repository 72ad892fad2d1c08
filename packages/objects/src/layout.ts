// Where an object lies in the folder, and which key a place in the folder means.
//
// `a/b` is the file `objects/a/b=object`, what keeps it lies in the folder `objects/a/b=retention`, what is noted
// beside it in `objects/a/b=metadata`. `=` and `+` are in no key, so an object never stands in the way of a folder (`a` beside `a/b`) and every name reads
// back. A segment too long for a file name goes on in a folder: its pieces but the last end in `+`.
import { join } from 'node:path'
import { keySegments, prefixSegments } from './key.ts'

/** File names may have 255 bytes (POSIX NAME_MAX); the rest is room for our endings. */
const maxPieceCharacters = 200
const objectEnding = '=object'
const retentionEnding = '=retention'
const metadataEnding = '=metadata'
const continuedEnding = '+'
/** Among what keeps an object: the object itself on its way out. */
export const leavingEnding = '.leaving'

export interface Place {
  readonly key: string
  /** The folder that holds the object. */
  readonly directory: string
  readonly object: string
  readonly retention: string
  readonly metadata: string
}

/** Throws `bad_key`. */
export function placeOf(objectsFolder: string, key: string): Place {
  const names = keySegments(key).flatMap(namesOfSegment)
  const last = names.pop() ?? ''
  const directory = join(objectsFolder, ...names)
  return {
    key,
    directory,
    object: join(directory, last + objectEnding),
    retention: join(directory, last + retentionEnding),
    metadata: join(directory, last + metadataEnding),
  }
}

/** The folder that holds every key with this prefix, and the text that the keys within all begin with. */
export function startOf(objectsFolder: string, prefix: string): { directory: string; keyStart: string } {
  const segments = prefixSegments(prefix)
  return {
    directory: join(objectsFolder, ...segments.flatMap(namesOfSegment)),
    keyStart: segments.map(segment => `${segment}/`).join(''),
  }
}

/** What a name in a folder adds to the key; null for what is neither an object nor a folder of some. */
export function meaningOf(name: string, isDirectory: boolean): { keyPart: string } | null {
  if (!isDirectory) {
    return name.endsWith(objectEnding) ? { keyPart: name.slice(0, -objectEnding.length) } : null
  }
  if (name.endsWith(retentionEnding) || name.endsWith(metadataEnding)) return null
  if (name.endsWith(continuedEnding)) return { keyPart: name.slice(0, -continuedEnding.length) }
  return { keyPart: `${name}/` }
}

function namesOfSegment(segment: string): string[] {
  const names = []
  let rest = segment
  while (rest.length > maxPieceCharacters) {
    names.push(rest.slice(0, maxPieceCharacters) + continuedEnding)
    rest = rest.slice(maxPieceCharacters)
  }
  return [...names, rest]
}
