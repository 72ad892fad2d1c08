// What each operation is called with: ids in its path, its body, its query; made anew for each call where the call uses it up.
import { newRecordingId } from '@auricle/contract'
import type { Described } from './document.ts'
import type { OperationLine } from './table.ts'
import type { Member, Side, World } from './world.ts'

export interface Input {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Seeding {
  readonly world: World
  /** In which tenant the thing is made. */
  readonly side: Side
  /** As the table calls the thing. */
  readonly on: string
  readonly caller: Member | null
}

type Seed = (seeding: Seeding) => Input | Promise<Input>

const seeds: Readonly<Record<string, Seed>> = {
  signIn: () => ({ body: {} }),
  markRecording: () => ({ body: { heard: true } }),
}

const queries: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  download: { download: 'true' },
}

/** Throws, with a sentence, where nothing is known that the operation could be called with. */
export function seedOf({ operation, asks, takesBody }: Described, { use, on }: OperationLine): Seed {
  const seed = seeds[operation]
  const query = use === null ? {} : queries[use]
  if (query === undefined)
    throw new Error(`${operation} is used with ${use}, which no seed says how to ask for.`)
  const needsSeed = takesBody || (asks.length > 0 && on !== 'recording')
  if (needsSeed && seed === undefined) throw new Error(`${operation} has no seed to be called with.`)
  return async seeding => {
    const input = (await seed?.(seeding)) ?? {}
    return { ...input, query: { ...input.query, ...query } }
  }
}

/** An id like this one, of nothing. */
export const ofNothing = (id: string) => id.slice(0, 4) + newRecordingId().slice(4)
