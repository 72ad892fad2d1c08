// The page of the attempts, docs/bypass.md: written by the run.
import type { AttemptRow, Wall } from './attempt.ts'

const titles: Readonly<Record<Wall, readonly [title: string, text: string]>> = {
  api: [
    'By the API',
    `Every operation of the served document that takes an id of a recording, a hold, a rule, a disposition or an event, by
everybody: without a token, with a connector's, with every role by itself in a session and by a program, with all roles at once,
in emergency access, with tokens that are old, ended, idle or without scopes, as somebody disabled. What answers, besides
being refused, is named with who got it.`,
  ],
  command: [
    'At the console',
    'Every command, by whoever is at the machine without a session, and by persons with theirs. A command that is new has to be placed.',
  ],
  worker: [
    'In the worker',
    "Every loop and use case that deletes or changes objects, also with rows that were forged with the services' role of the database.",
  ],
  database: [
    "With the services' role of the database",
    'What PostgreSQL refuses, what the functions refuse, and what neither does: then the store refuses.',
  ],
  bucket: [
    'With an identity at Cloud Storage',
    'By the rights of `terraform/modules/blueprint/rights.tf`, in both buckets. `403 forbidden`: the identity has no such right.',
  ],
  folder: ['In a folder', 'By the port, and by hand.'],
}

export function renderPage(rows: readonly AttemptRow[]): string {
  const sections = Object.entries(titles).flatMap(([wall, [title, text]]) => [
    `## ${title}\n`,
    `${text}\n`,
    '| attempt | by | what refused | logged |',
    '|---|---|---|---|',
    ...rows
      .filter(row => row.wall === wall)
      .map(({ what, by, refused, logged }) => `| ${[what, by, refused, logged].map(cell).join(' | ')} |`),
    '',
  ])
  return `${introduction}\n${sections.join('\n')}`
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')

const introduction = `# Attempts to get round retention and holds

What was tried to destroy, replace or shorten a recording that is kept, by whom, what refused it, and where that is written down.
**The tables are made by a run, not by hand**: \`npm run bypass\` tries all of it and writes this page; \`npm test\` tries the
same, and fails where anything gets through.

The recordings are all from long ago, so that nothing but the one reason keeps them: one *under retention* by its rule, one
*held* whose retention is over, one of which nobody has *decided* whether it is part of the record set, one that was *held after
its disposition was approved*, and one that is *waiting* for the event that its rule counts from. After each attempt every
object in both stores is read: the same generation, the same bytes, a retention that is not shorter, the hold still on; and
every row: sealed columns and wraps as they were, no mark of destruction.

There are two walls. The database's functions look for themselves before anything is marked or emptied, and the stores refuse
by their own retention and holds, whatever a row says.

## What is not refused

- A compliance officer with a fresh second factor releases a hold. That is theirs to do, is in the log, and destroys nothing:
  what was held has to be proposed anew, and others approve it.
- A retention officer, as whom no service runs, shortens a retention that is not locked. They cannot delete.
- Whoever has the services' role of the database may insert a decision, a review, or a release of a hold that nobody made. The
  destroyer decides anew by rules and facts, so a forged decision alone does nothing. Who forges the facts as well, and waits
  until a worker has taken the hold off in the stores by them, has done what a compliance officer and two reviewers may do. A
  retention that is not over still stands, and the log lacks their events: that is how it is found.
- What is undecided and whose retention is over has no hold in the stores: nothing but the database keeps it.
- At a bucket the worker takes holds off and cannot delete; the disposer deletes and can neither take a hold off nor shorten.
  It takes both.
- In a folder, whoever owns it can remove its files, take the place of one with another, or remove what keeps it. The daily look
  at the stores finds each: \`missing\`, \`other_generation\`, \`shorter\`, \`not_held\` ([store-drift.md](store-drift.md)).
  The recovery store has the bytes, where it is another's.
`
