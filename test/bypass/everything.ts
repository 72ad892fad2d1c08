// All attempts one after another, on recordings of one vault: those by the API and at the console on a clinic with everybody
// in it, the others on a clinic each.
import { openFront } from '../front.ts'
import { readDocument } from '../matrix/document.ts'
import { openWorld, type World } from '../matrix/world.ts'
import { makeClinic, openTestVault, type TestVault } from '../vault.ts'
import { type ApiAttempts, tryApi } from './api.ts'
import type { Attempt } from './attempt.ts'
import { tryBuckets } from './buckets.ts'
import { tryCommands } from './commands.ts'
import { tryDatabase, tryForging } from './database.ts'
import { tryByHand, tryFolder } from './folder.ts'
import { type Guard, guard } from './guarded.ts'
import { tryRound, tryWorkers } from './workers.ts'

export async function newGuard(vault: TestVault): Promise<Guard> {
  const clinic = await makeClinic(vault)
  return guard(vault, clinic, { reviewers: [clinic.complianceOfficer.row.id, clinic.administrator.row.id] })
}

/** In places that whoever asks has a relation to. */
export async function guardAtHome(vault: TestVault, { home: { clinic, mailboxes } }: World): Promise<Guard> {
  const addressed = (name: keyof typeof mailboxes, address: string) => ({ id: mailboxes[name], address })
  return guard(vault, clinic, {
    reviewers: [clinic.complianceOfficer.row.id, clinic.administrator.row.id],
    mailboxes: {
      'under retention': addressed('owner', '3000'),
      'held, its retention over': addressed('team', '3001'),
      undecided: addressed('delegation', '3002'),
      'held after its disposition was approved': addressed('other', '3005'),
      waiting: addressed('supervised', '3004'),
    },
  })
}

export async function tryServed(vault: TestVault, world: World, it: Guard): Promise<ApiAttempts> {
  await using front = await openFront(vault)
  const described = readDocument(await (await fetch(`${front.url}/v1/openapi.json`)).json())
  return await tryApi(it, { world, url: front.url, described })
}

/** What everybody asked for has its time: whatever nothing keeps goes, and nothing else. */
export async function tryEightDaysLater(
  it: Guard,
): Promise<{ readonly attempt: Attempt; readonly destroyed: number }> {
  const kept = await it.look()
  it.pass(8)
  const { destroyed } = await tryRound(it)
  const harm = await it.harm(kept)
  const attempt: Attempt = {
    wall: 'worker',
    ...{ what: 'all loops, eight days after all that people asked for', by: 'worker', harm },
    ...{
      refused: 'only what nothing keeps goes',
      logged: 'recording.disposed of those, disposition.stopped',
    },
  }
  return { attempt, destroyed }
}

/** Each part on a vault of its own: a round of the worker is about all tenants. */
export async function tryEverything(): Promise<{
  readonly attempts: readonly Attempt[]
  readonly notes: readonly string[]
}> {
  const [people, ...others] = await Promise.all([
    onVault(tryPeople),
    onVault(async vault => tryWorkers(await newGuard(vault))),
    onVault(async vault => {
      const it = await newGuard(vault)
      return [...(await tryDatabase(it)), ...(await tryForging(it))]
    }),
    tryBuckets(),
    onVault(async vault => {
      const it = await newGuard(vault)
      return [...(await tryFolder(it)), ...(await tryByHand(it))]
    }),
  ])
  return { ...people, attempts: [...people.attempts, ...others.flat()] }
}

async function onVault<Result>(work: (vault: TestVault) => Promise<Result>): Promise<Result> {
  await using vault = await openTestVault()
  return await work(vault)
}

async function tryPeople(vault: TestVault) {
  const world = await openWorld(vault)
  const home = await guardAtHome(vault, world)
  const { attempts: byApi, ...counts } = await tryServed(vault, world, home)
  const byCommand = await tryCommands(home, world)
  const { attempt: later, destroyed } = await tryEightDaysLater(home)
  return {
    attempts: [...byApi, ...byCommand, later],
    notes: [
      `By the API: ${counts.calls} calls of ${counts.operations} operations, ${counts.aimed} of which take an id of what is kept; ` +
        `${counts.refusals} refusals of somebody are in the log.`,
      `Eight days later ${destroyed} others were destroyed, which nothing kept.`,
    ],
  }
}
