// The calls about objects of one bucket that are answered with what an object is, or that it is not.
import { meaningOf } from './api-failure.ts'
import type { ApiAnswer, ApiRequest, Connection } from './connection.ts'
import { type GonePage, goneFields, parseGonePage } from './gone.ts'
import { type Page, parsePage, parseResource, type Resource, resourceFields } from './resource.ts'

export interface Call {
  readonly signal: AbortSignal | undefined
}

export interface Bucket {
  readonly name: string
  readonly connection: Connection
  /** The path of an object's resource. */
  pathOf(objectName: string): string
  readonly uploadPath: string
  /** Null when there is no such object. */
  get(objectName: string, call: Call): Promise<Resource | null>
  /** Null when there is no such object; `conflict` when it changed since it was looked at. */
  patch(
    resource: Resource,
    change: object,
    call: Call & { readonly overrides: boolean },
  ): Promise<Resource | 'conflict' | null>
  delete(objectName: string, generation: string, call: Call): Promise<'deleted' | 'absent'>
  /** In the order of names. */
  list(which: Which, call: Call): Promise<Page>
  /** What is deleted and can still be restored, likewise. */
  listGone(which: Omit<Which, 'startOffset'>, call: Call): Promise<GonePage>
}

interface Which {
  readonly prefix: string
  /** The first name that may be in it; null for none. */
  readonly startOffset: string | null
  readonly pageToken: string | null
}

const pageObjects = '1000'

export function createBucket(name: string, connection: Connection): Bucket {
  const root = `/storage/v1/b/${encodeURIComponent(name)}`
  const pathOf = (objectName: string): string => `${root}/o/${encodeURIComponent(objectName)}`

  const sendUnlessAbsent = async (request: ApiRequest, call: Call): Promise<ApiAnswer<unknown> | null> => {
    try {
      return await connection.send(request, call)
    } catch (error) {
      if (meaningOf(error) === 'absent') return null
      throw error
    }
  }

  return {
    name,
    connection,
    pathOf,
    uploadPath: `/upload${root}/o`,

    async get(objectName, call) {
      const query = { fields: resourceFields }
      const answer = await sendUnlessAbsent({ method: 'GET', path: pathOf(objectName), query }, call)
      return answer === null ? null : parseResource(answer.body)
    },

    async patch({ name: objectName, generation, metageneration }, change, { overrides, ...call }) {
      const request: ApiRequest = {
        method: 'PATCH',
        path: pathOf(objectName),
        query: {
          generation,
          ifMetagenerationMatch: metageneration,
          fields: resourceFields,
          ...(overrides ? { overrideUnlockedRetention: 'true' } : {}),
        },
        headers: { 'content-type': 'application/json' },
        body: [Buffer.from(JSON.stringify(change))],
      }
      try {
        const answer = await sendUnlessAbsent(request, call)
        return answer === null ? null : parseResource(answer.body)
      } catch (error) {
        if (meaningOf(error) === 'condition') return 'conflict'
        throw error
      }
    },

    async delete(objectName, generation, { signal }) {
      let isUncertain = false
      const onUncertain = (): void => {
        isUncertain = true
      }
      // By its generation, so that in a bucket with versions it does not stay as one that is no longer current.
      const query = { generation, ifGenerationMatch: generation }
      try {
        await connection.send({ method: 'DELETE', path: pathOf(objectName), query }, { signal, onUncertain })
        return 'deleted'
      } catch (error) {
        const meaning = meaningOf(error)
        // A generation never comes back: where it is gone after a try without an answer, that try is taken to have
        // found it, as nobody can tell.
        if (meaning === 'absent' || meaning === 'condition') return isUncertain ? 'deleted' : 'absent'
        throw error
      }
    },

    async list({ prefix, startOffset, pageToken }, call) {
      const query = {
        prefix,
        ...(startOffset === null ? {} : { startOffset }),
        maxResults: pageObjects,
        fields: `nextPageToken,items(${resourceFields})`,
        ...(pageToken === null ? {} : { pageToken }),
      }
      return parsePage((await connection.send({ method: 'GET', path: `${root}/o`, query }, call)).body)
    },

    async listGone({ prefix, pageToken }, call) {
      const query = {
        prefix,
        softDeleted: 'true',
        maxResults: pageObjects,
        fields: `nextPageToken,items(${goneFields})`,
        ...(pageToken === null ? {} : { pageToken }),
      }
      return parseGonePage((await connection.send({ method: 'GET', path: `${root}/o`, query }, call)).body)
    },
  }
}
