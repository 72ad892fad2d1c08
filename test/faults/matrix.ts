// The whole matrix of a port: every operation without a fault, then every fault at every request of it, lane by lane.
import {
  type Cell,
  type Place,
  placesOf,
  runCell,
  runUndisturbed,
  type Strength,
  type Undisturbed,
} from './cell.ts'
import { faultTable, type TableFault } from './fault-table.ts'
import type { Lane, Operation, Port } from './port.ts'

/** What one fault at one request came to; null where it cannot befall that request. */
export interface Row {
  readonly fault: TableFault
  readonly place: Place
  readonly observed: Readonly<Record<Strength, Cell>> | null
}

export interface OperationMatrix {
  readonly name: string
  readonly undisturbed: Undisturbed
  readonly rows: readonly Row[]
}

export interface PortMatrix {
  readonly name: string
  readonly operations: readonly OperationMatrix[]
}

/** Most of a cell is waiting, so several run at once, each on a service of its own. */
const lanesAtOnce = 12

/** Throws an error that names the cells where an invariant does not hold. */
export async function runMatrix<Subject>(port: Port<Subject>): Promise<PortMatrix> {
  await using stack = new AsyncDisposableStack()
  const lanes: Lane<Subject>[] = await Promise.all(
    Array.from({ length: lanesAtOnce }, async () => stack.use(await port.openLane())),
  )

  const plans = await each(lanes, port.operations, async (lane, operation) => {
    const undisturbed = await named([operation.name], () => runUndisturbed({ port, operation, lane }))
    return { operation, undisturbed, rows: rowsOf(undisturbed) }
  })
  const jobs = plans.flatMap(({ operation, undisturbed, rows }) =>
    rows.map(({ fault, place }) => ({ operation, undisturbed, fault, place })),
  )
  // The slow ones first, or they would be what everybody waits for at the end.
  const ordered = jobs.toSorted((one, other) => Number(isSlow(other.fault)) - Number(isSlow(one.fault)))
  const observed = new Map<(typeof jobs)[number], Row['observed']>()
  const failures: unknown[] = []
  await each(lanes, ordered, async (lane, job) => {
    try {
      observed.set(job, await observeRow({ port, lane, ...job }))
    } catch (error) {
      failures.push(error)
    }
  })
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
  return {
    name: port.name,
    operations: plans.map(({ operation, undisturbed }) => ({
      name: operation.name,
      undisturbed,
      rows: jobs
        .filter(job => job.operation === operation)
        .map(job => ({ fault: job.fault, place: job.place, observed: observed.get(job) ?? null })),
    })),
  }
}

const isSlow = ({ fault }: TableFault): boolean => fault.type === 'slow'

const rowsOf = (undisturbed: Undisturbed) =>
  placesOf(undisturbed).flatMap(place => faultTable.map(fault => ({ place, fault })))

async function observeRow<Subject>(given: {
  readonly port: Port<Subject>
  readonly operation: Operation<Subject>
  readonly lane: Lane<Subject>
  readonly undisturbed: Undisturbed
  readonly fault: TableFault
  readonly place: Place
}): Promise<Row['observed']> {
  const {
    operation,
    undisturbed,
    fault: { name, fault },
    place,
  } = given
  const cell = (strength: Strength) =>
    named([operation.name, name, `at ${place.which} ${place.request}`, strength], () =>
      runCell(given, { fault, place, strength }, undisturbed),
    )
  const [once, always] = [await cell('once'), await cell('always')]
  return once === null || always === null ? null : { once, always }
}

async function named<T>(words: readonly string[], run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${words.join(', ')}: ${message}`, { cause })
  }
}

/** Each item on whichever lane is free next; results in the order of the items. */
async function each<LaneType, Item, Result>(
  lanes: readonly LaneType[],
  items: readonly Item[],
  run: (lane: LaneType, item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const left = items.entries()
  await Promise.all(
    lanes.map(async lane => {
      for (const [index, item] of left) results[index] = await run(lane, item)
    }),
  )
  return results
}
