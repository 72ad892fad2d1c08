// No audit, no audio: what listeners get while everything on the way to the first byte fails, held against the log.
//
//   npm run failclosed -- --seed 1 --requests 10000 --kills 10
import '../harness/own-roots.ts'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createTenantSecrets } from '@auricle/vault'
import { guardedKeys } from '../guarded-keys.ts'
import { freshSeed } from '../harness/random.ts'
import { createVerdict, mebibytes, printTable, say, seconds } from '../harness/verdict.ts'
import { openTestVault } from '../vault.ts'
import { type Durable, type Judgement, judge, readDurable, readKeyUses, usesWithoutEvent } from './judge.ts'
import { killUnderLoad } from './killing.ts'
import { kinds, seams } from './seams.ts'
import { everyTime, storm } from './storm.ts'

const lanes = 12
const killingLanes = 8
const requestsOfALife = 400

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    requests: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '10' },
  },
})
const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
const [requests, kills] = [Number(values.requests), Number(values.kills)]
if (![seed, requests, kills].every(Number.isSafeInteger)) throw new RangeError('Give whole numbers')

const startedMs = performance.now()
const verdict = createVerdict()
say(`failclosed with seed ${seed}`)
if (requests > 0) await runStorm()
if (kills > 0) await runKilling()
say(`took ${seconds(performance.now() - startedMs)}; again with: npm run failclosed -- --seed ${seed}`)
verdict.finish('failclosed')

async function runStorm(): Promise<void> {
  await using vault = await openTestVault()
  const { listeners, logStore, lives, met, statuses } = await storm(vault, {
    ...{ seed, requests, lanes, requestsOfALife },
    onLife: ({ weather, sink, done }) => say(`  ${done} requests; ${weather}, second sink ${sink}`),
  })
  const count = (name: string) => String(met.get(name) ?? 0)
  printTable(
    ['faults met', ...kinds],
    seams.flatMap(seam =>
      [1, 2, 3].map(nth => [`${seam} ${nth}`, ...kinds.map(kind => count(`${seam} ${nth} ${kind}`))]),
    ),
  )
  say(
    `answers: ${[...statuses]
      .map(([status, times]) => `${status} ${times}`)
      .sort()
      .join(', ')}; ${lives} lives`,
  )
  const uses = await readKeyUses(join(vault.folder, 'key-uses'))
  const durable = await readDurable(vault.database.superuserPool, logStore, vault.secrets)
  const found = judge(listeners, durable)
  checkCommon('faults', found, durable)
  const unmet = everyTime.flatMap(seam =>
    kinds.map(kind => `${seam} 1 ${kind}`).filter(name => !met.has(name)),
  )
  verdict.check(unmet.length === 0, 'each kind of fault was met at each seam', unmet.join(', '))
  verdict.check(found.requests >= requests, 'as many requests as were asked for', String(found.requests))
  verdict.check(
    found.withoutEnd === 0,
    'faults: every playback that was heard has its end in the log',
    `${found.withoutEnd} have not`,
  )
  verdict.check(found.telling === 0, 'faults: no refusal tells of what is there', String(found.telling))
  verdict.check(
    usesWithoutEvent(uses, durable) === 0,
    'faults: no key was used without a durable event',
    `${usesWithoutEvent(uses, durable)} of ${uses.length} uses`,
  )
}

async function runKilling(): Promise<void> {
  await killUnderLoad({ seed, kills, lanes: killingLanes }, async (stack, { listeners, killed, falls }) => {
    const { adapters, log, superuser } = stack
    const keys = guardedKeys(adapters.keys, adapters.noteKeyUse)
    const secrets = createTenantSecrets({ ...adapters, keys, log })
    const uses = await readKeyUses(join(stack.dataFolder, 'key-uses'))
    const durable = await readDurable(superuser, adapters.logStore, secrets)
    const found = judge(listeners, durable)
    say(`killed: API ${killed.api}, PostgreSQL ${killed.postgres}`)
    checkCommon('SIGKILL', found, durable)
    verdict.check(killed.api === kills && killed.postgres === kills, 'SIGKILL: as many as planned')
    verdict.check(falls === 0, 'SIGKILL: the API did not fall because PostgreSQL did', `${falls} times`)
    // Of one that was killed nothing is told; that is to be taken for heard whole (docs/playback.md).
    say(
      `       ${found.withoutEnd} answers with audio are of playbacks that were killed before their end was told`,
    )
    verdict.check(
      usesWithoutEvent(uses, durable) === 0,
      'SIGKILL: every acknowledged event that a key was used for is stored',
      `${usesWithoutEvent(uses, durable)} of ${uses.length} uses`,
    )
  })
}

function checkCommon(run: string, found: Judgement, { events, late }: Durable): void {
  say(`${events.size} durable events, ${late} of them in the second sink alone`)
  verdict.check(
    found.bytesWithoutEvent === 0 && found.answersWithoutEvent === 0 && found.answered > 0,
    `${run}: no byte was served without a durable event`,
    `${found.bytesWithoutEvent} of ${found.audioBytes} bytes (${mebibytes(found.audioBytes)}), ${found.answersWithoutEvent} of ${found.answered} answers with audio, ${found.requests} requests`,
  )
  verdict.check(
    found.bytesNotTold === 0,
    `${run}: no byte that was served is missing where the end is told`,
    `${found.bytesNotTold}`,
  )
}
