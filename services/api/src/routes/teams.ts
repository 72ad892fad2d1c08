// Teams and mailboxes: who hears what by belonging to it.

import type { Session } from '@auricle/contract'
import { MailboxId, Name, TeamId, UserId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  addMailbox,
  addMailboxOwner,
  addTeamMailbox,
  createTeam,
  listTeams,
  removeMailboxOwner,
  removeTeamMailbox,
  removeTeamMember,
  setTeamMember,
  type TeamParts,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

const Team = z.strictObject({
  id: TeamId,
  name: z.string(),
  members: z.array(
    z.strictObject({
      user: UserId,
      supervises: z.boolean(),
      /** Whether groups of a provider put them there. */
      byProvider: z.boolean(),
    }),
  ),
  mailboxes: z.array(MailboxId),
})

const TeamList = z.strictObject({ teams: z.array(Team) })
const NewTeam = z.strictObject({ name: Name })
const TeamMember = z.strictObject({ supervises: z.boolean().default(false) })

const Mailbox = z.strictObject({ id: MailboxId, address: z.string(), name: z.string() })
const NewMailbox = z.strictObject({
  /** Extension or queue as PBXs name it. */
  address: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9+*#._@-]{1,64}$/, 'expected an extension'),
  name: Name,
})

/** Under the names the document gives them. */
export const schemas = {
  Mailbox,
  NewMailbox,
  NewTeam,
  Team,
  TeamList,
  TeamMember,
} as const satisfies Record<string, z.ZodType>

const team = { schema: TeamId, description: "The team's id." }
const mailbox = { schema: MailboxId, description: "The mailbox's id." }
const user = { schema: UserId, description: "The person's id." }

export const table = [
  {
    operationId: 'listTeams',
    method: 'get',
    path: '/v1/teams',
    needs: 'people.read',
    summary: 'List teams',
    description: 'With who is in each, who supervises, and which mailboxes they share.',
    answers: [ok('TeamList', 'The teams, by name.')],
    problems: ['denied'],
  },
  {
    operationId: 'createTeam',
    method: 'post',
    path: '/v1/teams',
    needs: 'mailbox.manage',
    summary: 'Make a team',
    description: 'Without anybody in it.',
    body: 'NewTeam',
    answers: [created('Team', 'The team.')],
    problems: ['malformed', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'setTeamMember',
    method: 'put',
    path: '/v1/teams/{id}/members/{user}',
    params: { id: team, user },
    needs: 'mailbox.manage',
    summary: 'Put somebody into a team',
    description:
      'A member who is a clinician hears its mailboxes; one who supervises and has the role of a supervisor hears ' +
      'them for a stated purpose.',
    body: 'TeamMember',
    answers: [done('They are in it.')],
    problems: ['malformed', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'removeTeamMember',
    method: 'delete',
    path: '/v1/teams/{id}/members/{user}',
    params: { id: team, user },
    needs: 'mailbox.manage',
    summary: 'Take somebody out of a team',
    description: 'Counts from the next request. Groups of a provider may put them back at the next sign-in.',
    answers: [done('They are out of it.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'addTeamMailbox',
    method: 'put',
    path: '/v1/teams/{id}/mailboxes/{mailbox}',
    params: { id: team, mailbox },
    needs: 'mailbox.manage',
    summary: 'Share a mailbox with a team',
    description: 'What is so already stays so.',
    answers: [done('The team has it.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'removeTeamMailbox',
    method: 'delete',
    path: '/v1/teams/{id}/mailboxes/{mailbox}',
    params: { id: team, mailbox },
    needs: 'mailbox.manage',
    summary: 'Take a mailbox from a team',
    description: 'Counts from the next request.',
    answers: [done('The team no longer has it.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'createMailbox',
    method: 'post',
    path: '/v1/mailboxes',
    needs: 'mailbox.manage',
    summary: 'Make a mailbox',
    description: 'Without an owner; recordings for its address arrive there from now on.',
    body: 'NewMailbox',
    answers: [created('Mailbox', 'The mailbox.')],
    problems: ['malformed', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'addMailboxOwner',
    method: 'put',
    path: '/v1/mailboxes/{id}/owners/{user}',
    params: { id: mailbox, user },
    needs: 'mailbox.manage',
    summary: 'Give a mailbox to somebody',
    description:
      'They hear it if they are a clinician, and may have it covered. What is so already stays so.',
    answers: [done('They own it.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'removeMailboxOwner',
    method: 'delete',
    path: '/v1/mailboxes/{id}/owners/{user}',
    params: { id: mailbox, user },
    needs: 'mailbox.manage',
    summary: 'Take a mailbox from somebody',
    description: 'Counts from the next request, and ends the cover they gave for it.',
    answers: [done('They no longer own it.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface TeamRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly teams: TeamParts
}

const Member = z.object({ id: TeamId, user: UserId })
const Shared = z.object({ id: TeamId, mailbox: MailboxId })
const Owner = z.object({ id: MailboxId, user: UserId })

export function createTeamHandlers({ identity, teams }: TeamRouteParts) {
  return {
    async listTeams(request, response) {
      const found = await listTeams(teams, factsOf(identity, request), exchangeOf(request))
      response.json({ teams: found })
    },
    async createTeam(request, response) {
      const asked = NewTeam.parse(request.body)
      const made = await createTeam(teams, factsOf(identity, request), asked, exchangeOf(request))
      response.status(201).json(made)
    },
    async setTeamMember(request, response) {
      const { id, user } = Member.parse(request.params)
      const { supervises } = TeamMember.parse(request.body)
      const member = { team: id, user, supervises }
      await setTeamMember(teams, factsOf(identity, request), member, exchangeOf(request))
      response.status(204).end()
    },
    async removeTeamMember(request, response) {
      const { id, user } = Member.parse(request.params)
      await removeTeamMember(teams, factsOf(identity, request), { team: id, user }, exchangeOf(request))
      response.status(204).end()
    },
    async addTeamMailbox(request, response) {
      const { id, mailbox } = Shared.parse(request.params)
      await addTeamMailbox(teams, factsOf(identity, request), { team: id, mailbox }, exchangeOf(request))
      response.status(204).end()
    },
    async removeTeamMailbox(request, response) {
      const { id, mailbox } = Shared.parse(request.params)
      await removeTeamMailbox(teams, factsOf(identity, request), { team: id, mailbox }, exchangeOf(request))
      response.status(204).end()
    },
    async createMailbox(request, response) {
      const asked = NewMailbox.parse(request.body)
      const made = await addMailbox(teams, factsOf(identity, request), asked, exchangeOf(request))
      response.status(201).json(made)
    },
    async addMailboxOwner(request, response) {
      const { id, user } = Owner.parse(request.params)
      await addMailboxOwner(teams, factsOf(identity, request), { mailbox: id, user }, exchangeOf(request))
      response.status(204).end()
    },
    async removeMailboxOwner(request, response) {
      const { id, user } = Owner.parse(request.params)
      await removeMailboxOwner(teams, factsOf(identity, request), { mailbox: id, user }, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
