// People, roles, teams, cover and labels over sockets: who may, who may not, and what each leaves in the log.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type MailboxId,
  newUserId,
  Problem,
  type ProblemName,
  problems,
  type RecordingId,
  type UserId,
} from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import type { z } from 'zod'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  makePerson,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

const dayMs = 24 * 60 * 60_000
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString()

let vault: TestVault
let front: Front
let other: Clinic
let clinic: Clinic
/** A second administrator, so that the first is not the last. */
let deputy: Person

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  other = await makeClinic(vault)
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  deputy = await makePerson(vault, clinic.tenant, 'deputy', ['administrator'])
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token

interface Asked {
  readonly as: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

function ask(method: string, path: string, { as, body, headers = {} }: Asked): Promise<Response> {
  return fetch(front.url + path, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function refused(answer: Promise<Response> | Response, name: ProblemName): Promise<string> {
  const response = await answer
  const text = await response.text()
  assert.equal(response.status, problems[name].status, text)
  const problem = Problem.parse(JSON.parse(text))
  assert.equal(problem.type, problems[name].type, text)
  return problem.detail ?? ''
}

async function answered<Schema extends z.ZodType>(
  answer: Promise<Response>,
  status: number,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const response = await answer
  const text = await response.text()
  assert.equal(response.status, status, text)
  return schema.parse(JSON.parse(text))
}

async function empty(answer: Promise<Response>): Promise<void> {
  const response = await answer
  assert.equal(response.status, 204, await response.text())
}

/** The events of some actions, as `outcome object reasons`. */
async function logged(...actions: readonly string[]): Promise<readonly string[]> {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events
    .filter(({ action }) => actions.includes(action))
    .map(({ action, outcome, object, reasons }) => `${action} ${outcome} ${object?.id} ${reasons.join(' ')}`)
}

const idOf = ({ row }: Person) => row.id

describe('people', () => {
  test('everybody is listed once, page by page, to those who may see people, and to nobody else', async () => {
    for (const person of [clinic.administrator, clinic.complianceOfficer, clinic.auditor]) {
      const as = await sessionOf(person)
      const seen: UserId[] = []
      let cursor: string | null = null
      do {
        const query: string = `?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`
        const page = await answered(ask('GET', `/v1/people${query}`, { as }), 200, schemas.PersonPage)
        seen.push(...page.people.map(({ id }) => id))
        cursor = page.nextCursor
      } while (cursor !== null)
      assert.equal(new Set(seen).size, 8)
      assert.equal(seen.length, 8)
      assert.ok(!seen.includes(idOf(other.clinician)))
    }
    for (const person of [clinic.clinician, clinic.supervisor, clinic.recoveryOperator]) {
      const as = await sessionOf(person)
      await refused(ask('GET', '/v1/people', { as }), 'denied')
      await refused(ask('GET', `/v1/people/${idOf(clinic.clinician)}`, { as }), 'denied')
    }
    const denied = (await logged('people.listed')).filter(line => line.includes(' denied '))
    assert.equal(denied.length, 6)
    const as = await sessionOf(clinic.administrator)
    await refused(ask('GET', '/v1/people?limit=0', { as }), 'malformed')
    await refused(ask('GET', '/v1/people?cursor=x', { as }), 'malformed')
  })

  test('an invitation is shown once, its login is lower-case and taken, and its roles wait for another', async () => {
    const as = await sessionOf(clinic.administrator)
    const body = {
      ...{ login: ' Dana.Example ', name: 'Dana Example', reason: 'new on ward 3' },
      roles: [{ role: 'clinician' }, { role: 'hears_vip', until: inDays(30) }],
    }
    const made = await answered(ask('POST', '/v1/people', { as, body }), 201, schemas.InvitedPerson)
    assert.equal(made.person.login, 'dana.example')
    assert.deepEqual(made.person.roles, [])
    assert.equal(made.person.factors.password, false)
    assert.match(made.invitation.token, /^aur_inv_/)
    const validMs = Date.parse(made.invitation.expiresAt) - Date.parse(made.person.createdAt)
    assert.equal(validMs, 7 * dayMs)
    await refused(ask('POST', '/v1/people', { as, body: { ...body, login: 'DANA.EXAMPLE' } }), 'conflict')

    const shown = await ask('GET', `/v1/people/${made.person.id}`, { as })
    const text = await shown.text()
    assert.deepEqual(schemas.PersonDetail.parse(JSON.parse(text)).grants, [])
    assert.ok(!text.includes(made.invitation.token))
    assert.ok(!front.log.lines.join('').includes(made.invitation.token))
    const open = await answered(
      ask('GET', '/v1/role-requests?state=open', { as }),
      200,
      schemas.RoleRequestPage,
    )
    assert.deepEqual(open.requests.map(({ user, role, reason }) => [user, role, reason]).sort(), [
      [made.person.id, 'clinician', 'new on ward 3'],
      [made.person.id, 'hears_vip', 'new on ward 3'],
    ])
    // Of one moment, so in any order.
    assert.deepEqual((await logged('user.invited', 'role.requested')).toSorted(), [
      `role.requested allowed ${made.person.id} clinician administrator`,
      `role.requested allowed ${made.person.id} hears_vip administrator`,
      `user.invited allowed ${made.person.id} administrator`,
    ])
  })

  test('an invitation is strict about what it holds', async () => {
    const as = await sessionOf(clinic.administrator)
    const good = { login: 'erin', name: 'Erin', roles: [], reason: 'a reason' }
    for (const change of [
      { login: '' },
      { login: 'erin example' },
      { login: '=cmd' },
      { login: 'x'.repeat(129) },
      { login: 'erin\u0000' },
      { name: '' },
      { name: 'Erin\nExample' },
      { name: 'x'.repeat(129) },
      { roles: [{ role: 'owner' }] },
      { roles: [{ role: 'clinician' }, { role: 'clinician' }] },
      { roles: [{ role: 'clinician' }], reason: undefined },
      { roles: [{ role: 'clinician' }], reason: '  ' },
      { roles: [{ role: 'clinician', until: 'tomorrow' }] },
      { roles: [{ role: 'clinician', until: inDays(-1) }] },
      { kind: 'service' },
      { disabledAt: null },
    ]) {
      await refused(ask('POST', '/v1/people', { as, body: { ...good, ...change } }), 'malformed')
    }
    const page = await answered(ask('GET', '/v1/people?limit=200', { as }), 200, schemas.PersonPage)
    assert.equal(page.people.length, 8)
  })

  test('changing people takes a second factor just shown, or a program made for it', async () => {
    const stale = { verifiedAt: new Date(Date.now() - 5 * 60_000 - 1) }
    const { token: as } = await front.sessionOf(clinic.administrator, stale)
    const path = `/v1/people/${idOf(clinic.stranger)}`
    const answer = await ask('PATCH', path, { as, body: { disabled: true } })
    assert.match(answer.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)
    await refused(answer, 'stepUpRequired')
    await refused(ask('POST', '/v1/people', { as, body: { login: 'x', name: 'X' } }), 'stepUpRequired')
    await refused(ask('POST', `${path}/factor-reset`, { as }), 'stepUpRequired')
    await refused(ask('DELETE', `${path}/roles/clinician`, { as }), 'stepUpRequired')
    const program = await front.tokenOf(clinic.administrator)
    const body = { name: 'Somebody Else' }
    const renamed = await answered(ask('PATCH', path, { as: program, body }), 200, schemas.Person)
    assert.equal(renamed.name, 'Somebody Else')
  })

  test('whoever is disabled is out everywhere at once, and enabling brings no token back', async () => {
    const as = await sessionOf(clinic.administrator)
    const path = `/v1/people/${idOf(clinic.clinician)}`
    const tokens = [await sessionOf(clinic.clinician), await front.tokenOf(clinic.clinician)]
    const cover = { mailbox: clinic.mailbox.id, to: idOf(clinic.stranger), until: inDays(3) }
    const made = ask('POST', '/v1/delegations', { as: tokens[0] ?? '', body: cover })
    await answered(made, 201, schemas.Delegation)
    const disabled = ask('PATCH', path, { as, body: { disabled: true } })
    assert.notEqual((await answered(disabled, 200, schemas.Person)).disabledAt, null)
    for (const token of tokens) await refused(ask('GET', '/v1/me', { as: token }), 'unauthenticated')
    const covers = await answered(ask('GET', '/v1/delegations?all=true', { as }), 200, schemas.DelegationPage)
    assert.deepEqual(
      covers.delegations.map(({ endedAt }) => endedAt === null),
      [false],
    )

    // What is so already stays so, and leaves no second event.
    await answered(ask('PATCH', path, { as, body: { disabled: true } }), 200, schemas.Person)
    await answered(ask('PATCH', path, { as, body: { disabled: false } }), 200, schemas.Person)
    for (const token of tokens) await refused(ask('GET', '/v1/me', { as: token }), 'unauthenticated')
    assert.deepEqual(await logged('user.disabled', 'user.enabled'), [
      `user.disabled allowed ${idOf(clinic.clinician)} administrator`,
      `user.enabled allowed ${idOf(clinic.clinician)} administrator`,
    ])
  })

  test('nobody disables or resets themselves, and the last administrator stays', async () => {
    const as = await sessionOf(clinic.administrator)
    const self = `/v1/people/${idOf(clinic.administrator)}`
    assert.match(await refused(ask('PATCH', self, { as, body: { disabled: true } }), 'denied'), /own_account/)
    assert.match(await refused(ask('POST', `${self}/factor-reset`, { as }), 'denied'), /own_account/)

    const deputys = await sessionOf(deputy)
    await answered(ask('PATCH', self, { as: deputys, body: { disabled: true } }), 200, schemas.Person)
    const last = `/v1/people/${idOf(deputy)}`
    await refused(ask('DELETE', `${last}/roles/administrator`, { as: deputys }), 'conflict')
    const officer = await sessionOf(clinic.complianceOfficer)
    await refused(ask('DELETE', `${last}/roles/administrator`, { as: officer }), 'conflict')
    assert.deepEqual(
      (await logged('role.revoked')).map(line => line.split(' ').slice(1).join(' ')),
      Array(2).fill(`denied ${idOf(deputy)} last_administrator`),
    )
  })

  test('two administrators who disable each other at once leave one of them', async () => {
    const pair = [clinic.administrator, deputy]
    const tokens = await Promise.all(pair.map(sessionOf))
    const answers = await Promise.all(
      pair.map((_, index) =>
        ask('PATCH', `/v1/people/${idOf(pair[1 - index] ?? assert.fail())}`, {
          as: tokens[index] ?? '',
          body: { disabled: true },
        }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    await Promise.all(answers.map(answer => answer.arrayBuffer()))
    // The one who was too late is either told so, or has no session any more.
    assert.ok(['200,401', '200,409'].includes(statuses.join()), statuses.join())
    const left = (await vault.catalog.listUsers(clinic.tenant.id)).filter(
      ({ roles, disabledAt }) => roles.includes('administrator') && disabledAt === null,
    )
    assert.equal(left.length, 1)
  })

  test('factors taken away end what was signed in with them', async () => {
    const as = await sessionOf(clinic.administrator)
    const theirs = await sessionOf(clinic.stranger)
    const path = `/v1/people/${idOf(clinic.stranger)}`
    const reset = await answered(ask('POST', `${path}/factor-reset`, { as }), 201, schemas.Invitation)
    assert.match(reset.token, /^aur_inv_/)
    await refused(ask('GET', '/v1/me', { as: theirs }), 'unauthenticated')
    const shown = await answered(ask('GET', path, { as }), 200, schemas.PersonDetail)
    const none = { password: false, totp: false, passkeys: 0, recoveryCodes: 0 }
    assert.deepEqual([shown.factors, shown.invitedUntil], [none, reset.expiresAt])
    await answered(ask('PATCH', path, { as, body: { disabled: true } }), 200, schemas.Person)
    await refused(ask('POST', `${path}/factor-reset`, { as }), 'conflict')
  })
})

describe('roles', () => {
  test('an administrator who takes over another’s account by a reset cannot approve with it', async () => {
    const as = await sessionOf(clinic.administrator)
    const id = await made(as, clinic.stranger, 'supervisor')
    const path = `/v1/people/${idOf(clinic.complianceOfficer)}/factor-reset`
    await answered(ask('POST', path, { as }), 201, schemas.Invitation)
    // As whoever accepted the invitation signs in.
    const taken = await sessionOf(clinic.complianceOfficer)
    assert.match(await refused(decide(taken, id), 'conflict'), /new factors/)
    assert.equal((await answered(decide(taken, id, false), 200, schemas.RoleRequest)).state, 'refused')
    const list = ask('GET', '/v1/alerts?open=true', { as: await sessionOf(clinic.auditor) })
    const { alerts } = await answered(list, 200, schemas.AlertPage)
    assert.deepEqual(
      alerts.map(({ kind }) => kind),
      ['factors_reset'],
    )
    const reset = (await auditEvents(vault, clinic.tenant.id)).find(
      ({ action }) => action === 'user.factors_reset',
    )
    assert.equal(reset?.object?.version, alerts[0]?.subject.id)
  })

  const request = (as: string, body: object) => ask('POST', '/v1/role-requests', { as, body })
  const decide = (as: string, id: string, approve = true) =>
    ask('POST', `/v1/role-requests/${id}/decision`, { as, body: { approve } })
  const made = async (as: string, person: Person, role: string, change: object = {}) =>
    (
      await answered(
        request(as, { user: idOf(person), role, reason: 'covers nights', ...change }),
        201,
        schemas.RoleRequest,
      )
    ).id
  const rolesOf = async (as: string) => (await answered(ask('GET', '/v1/me', { as }), 200, schemas.Me)).roles

  test('one asks, another decides, and the role is there at once and gone at once', async () => {
    const as = await sessionOf(clinic.administrator)
    const officer = await sessionOf(clinic.complianceOfficer)
    const theirs = await sessionOf(clinic.stranger)
    const id = await made(as, clinic.stranger, 'supervisor', { until: inDays(90) })
    assert.deepEqual(await rolesOf(theirs), ['clinician'])
    const decided = await answered(decide(officer, id), 200, schemas.RoleRequest)
    assert.deepEqual([decided.state, decided.decidedBy], ['approved', idOf(clinic.complianceOfficer)])
    assert.deepEqual(await rolesOf(theirs), ['clinician', 'supervisor'])
    await empty(ask('DELETE', `/v1/people/${idOf(clinic.stranger)}/roles/supervisor`, { as: officer }))
    assert.deepEqual(await rolesOf(theirs), ['clinician'])
    await refused(
      ask('DELETE', `/v1/people/${idOf(clinic.stranger)}/roles/supervisor`, { as: officer }),
      'notFound',
    )
    assert.deepEqual(await logged('role.requested', 'role.granted', 'role.revoked'), [
      `role.requested allowed ${idOf(clinic.stranger)} supervisor administrator`,
      `role.granted allowed ${idOf(clinic.stranger)} supervisor compliance_officer`,
      `role.revoked allowed ${idOf(clinic.stranger)} supervisor compliance_officer`,
    ])
    const events = await auditEvents(vault, clinic.tenant.id)
    const granted = events.find(({ action }) => action === 'role.granted')
    assert.equal(granted?.object?.version, id)
  })

  test('nobody decides what they asked for, or what is for themselves', async () => {
    const as = await sessionOf(clinic.administrator)
    const officer = await sessionOf(clinic.complianceOfficer)
    const own = await made(as, clinic.stranger, 'auditor')
    assert.match(await refused(decide(as, own), 'denied'), /own_request/)
    const forOfficer = await made(as, clinic.complianceOfficer, 'clinician')
    assert.match(await refused(decide(officer, forOfficer), 'denied'), /own_request/)
    const forSelf = await made(officer, clinic.complianceOfficer, 'hears_vip')
    assert.match(await refused(decide(officer, forSelf), 'denied'), /own_request/)
    assert.equal((await answered(decide(as, forSelf), 200, schemas.RoleRequest)).state, 'approved')
    const denied = await logged('role.granted')
    assert.equal(denied.filter(line => line.includes('denied') && line.includes('own_request')).length, 3)
  })

  test('deciding takes a role, a session and a second factor just shown', async () => {
    const id = await made(await sessionOf(clinic.administrator), clinic.stranger, 'auditor')
    for (const person of [clinic.clinician, clinic.supervisor, clinic.auditor, clinic.recoveryOperator])
      assert.match(await refused(decide(await sessionOf(person), id), 'denied'), /no_role/)
    const program = await front.tokenOf(clinic.complianceOfficer)
    assert.match(await refused(decide(program, id), 'denied'), /needs_session/)
    const stale = { verifiedAt: new Date(Date.now() - 5 * 60_000 - 1) }
    const { token } = await front.sessionOf(clinic.complianceOfficer, stale)
    await refused(decide(token, id), 'stepUpRequired')
    await refused(decide(await sessionOf(other.complianceOfficer), id), 'notFound')
    for (const person of [clinic.clinician, clinic.auditor]) {
      const as = await sessionOf(person)
      await refused(request(as, { user: idOf(person), role: 'administrator', reason: 'me' }), 'denied')
    }
  })

  test('of approvals and refusals at the same moment one counts, the others are told', async () => {
    const id = await made(await sessionOf(clinic.administrator), clinic.stranger, 'auditor')
    const deciders = [await sessionOf(clinic.complianceOfficer), await sessionOf(deputy)]
    const answers = await Promise.all([
      ...deciders.map(as => decide(as, id)),
      ...deciders.map(as => decide(as, id, false)),
    ])
    await Promise.all(answers.map(answer => answer.arrayBuffer()))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
    const events = await logged('role.granted', 'role.refused')
    assert.equal(events.length, 1)
  })

  test('a request is withdrawn by whoever made it, and then not decided', async () => {
    const as = await sessionOf(clinic.administrator)
    const officer = await sessionOf(clinic.complianceOfficer)
    const id = await made(as, clinic.stranger, 'auditor')
    await refused(
      request(officer, { user: idOf(clinic.stranger), role: 'auditor', reason: 'again' }),
      'conflict',
    )
    const withdraw = (token: string) => ask('DELETE', `/v1/role-requests/${id}`, { as: token })
    assert.match(await refused(withdraw(officer), 'denied'), /not_own_request/)
    await refused(withdraw(await sessionOf(other.administrator)), 'notFound')
    await empty(withdraw(as))
    await refused(withdraw(as), 'conflict')
    await refused(decide(officer, id), 'conflict')
    const list = ask('GET', '/v1/role-requests?state=withdrawn', { as })
    const page = await answered(list, 200, schemas.RoleRequestPage)
    assert.deepEqual(
      page.requests.map(found => found.id),
      [id],
    )
  })

  test('requests that make no sense are refused', async () => {
    const as = await sessionOf(clinic.administrator)
    const good = { user: idOf(clinic.stranger), role: 'auditor', reason: 'reads the log' }
    await refused(request(as, { ...good, user: newUserId() }), 'notFound')
    await refused(request(as, { ...good, user: idOf(other.stranger) }), 'notFound')
    for (const change of [
      { role: 'root' },
      { reason: '' },
      { reason: 'x'.repeat(1001) },
      { until: inDays(-1) },
      { until: 'never' },
      { user: 'stranger' },
      { approve: true },
    ])
      await refused(request(as, { ...good, ...change }), 'malformed')
    await answered(
      ask('PATCH', `/v1/people/${idOf(clinic.stranger)}`, { as, body: { disabled: true } }),
      200,
      schemas.Person,
    )
    await refused(request(as, good), 'conflict')
  })

  test('the report lists every grant with its approver, as JSON and as CSV that nothing computes', async () => {
    const as = await sessionOf(clinic.administrator)
    const officer = await sessionOf(clinic.complianceOfficer)
    const path = `/v1/people/${idOf(clinic.stranger)}`
    const body = { name: '=HYPERLINK("http://evil.example")' }
    await answered(ask('PATCH', path, { as, body }), 200, schemas.Person)
    await answered(decide(officer, await made(as, clinic.stranger, 'supervisor')), 200, schemas.RoleRequest)
    const auditor = await sessionOf(clinic.auditor)
    const report = '/v1/reports/recertification'
    const { grants } = await answered(ask('GET', report, { as: auditor }), 200, schemas.Recertification)
    assert.deepEqual(
      grants.map(({ user, role, source, requestedBy, approvedBy }) =>
        [user.login, role, source, requestedBy, approvedBy].join(' '),
      ),
      [
        'administrator administrator operator  ',
        'auditor auditor operator  ',
        'clinician clinician operator  ',
        'deputy administrator operator  ',
        'officer compliance_officer operator  ',
        'recovery recovery_operator operator  ',
        'stranger clinician operator  ',
        'stranger supervisor approval administrator officer',
        'supervisor supervisor operator  ',
      ],
    )
    assert.notEqual(grants.find(({ user }) => user.login === 'auditor')?.user.signedInAt, null)

    await empty(ask('DELETE', `${path}/roles/supervisor`, { as }))
    const now = await answered(ask('GET', report, { as }), 200, schemas.Recertification)
    assert.equal(now.grants.length, 8)
    const since = ask('GET', `${report}?endedSince=${inDays(-1)}`, { as })
    const ended = (await answered(since, 200, schemas.Recertification)).grants.filter(
      ({ endedAt }) => endedAt !== null,
    )
    assert.deepEqual(
      ended.map(({ role, endedBy }) => [role, endedBy]),
      [['supervisor', 'administrator']],
    )

    for (const asked of [
      ask('GET', `${report}?format=csv`, { as }),
      ask('GET', report, { as, headers: { accept: 'text/csv' } }),
    ]) {
      const answer = await asked
      assert.match(answer.headers.get('content-type') ?? '', /^text\/csv; charset=utf-8/)
      assert.match(
        answer.headers.get('content-disposition') ?? '',
        /^attachment; filename="?recertification-/,
      )
      const lines = (await answer.text()).split('\r\n')
      assert.equal(lines.length, 10)
      assert.match(lines[0] ?? '', /^"login","name","kind",/)
      assert.ok(lines.some(line => line.includes(`"stranger","'=HYPERLINK(""http://evil.example"")"`)))
    }
    const json = await ask('GET', `${report}?format=json`, { as, headers: { accept: 'text/csv' } })
    assert.match(json.headers.get('content-type') ?? '', /^application\/json/)
    await json.arrayBuffer()
    for (const person of [clinic.clinician, clinic.supervisor, clinic.recoveryOperator])
      await refused(ask('GET', report, { as: await sessionOf(person) }), 'denied')
    const read = await logged('recertification.read')
    assert.equal(read.filter(line => line.includes('allowed')).length, 6)
    assert.equal(read.filter(line => line.includes('denied')).length, 3)
  })
})

describe('teams, mailboxes and cover', () => {
  let recording: RecordingId
  let as: string

  beforeEach(async () => {
    recording = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), { sourceId: 'one' })
    as = await sessionOf(clinic.administrator)
  })

  const show = async (token: string) => {
    const response = await ask('GET', `/v1/recordings/${recording}`, { as: token })
    await response.arrayBuffer()
    return response.status
  }

  test('a team lets its clinicians in, its supervisors in theirs, and out again', async () => {
    const made = ask('POST', '/v1/teams', { as, body: { name: 'Night shift' } })
    const { id } = await answered(made, 201, schemas.Team)
    await refused(ask('POST', '/v1/teams', { as, body: { name: 'Night shift' } }), 'conflict')
    const member = (person: Person) => `/v1/teams/${id}/members/${idOf(person)}`
    const mailbox = `/v1/teams/${id}/mailboxes/${clinic.mailbox.id}`
    const theirs = await sessionOf(clinic.stranger)
    const supervisors = await sessionOf(clinic.supervisor)
    assert.deepEqual([await show(theirs), await show(supervisors)], [403, 403])
    await empty(ask('PUT', member(clinic.stranger), { as, body: {} }))
    await empty(ask('PUT', member(clinic.supervisor), { as, body: { supervises: true } }))
    assert.deepEqual([await show(theirs), await show(supervisors)], [403, 403])
    await empty(ask('PUT', mailbox, { as }))
    assert.deepEqual([await show(theirs), await show(supervisors)], [200, 200])
    const list = ask('GET', '/v1/teams', { as: await sessionOf(clinic.auditor) })
    const { teams } = await answered(list, 200, schemas.TeamList)
    assert.deepEqual(
      teams.map(({ name, members, mailboxes }) => [name, members.length, mailboxes]),
      [['Night shift', 2, [clinic.mailbox.id]]],
    )
    await empty(ask('DELETE', member(clinic.stranger), { as }))
    assert.deepEqual([await show(theirs), await show(supervisors)], [403, 200])
    await empty(ask('DELETE', mailbox, { as }))
    assert.deepEqual([await show(theirs), await show(supervisors)], [403, 403])
    await refused(ask('DELETE', mailbox, { as }), 'notFound')
    await refused(ask('DELETE', member(clinic.stranger), { as }), 'notFound')
    assert.deepEqual(
      (await logged('team.changed')).map(line => line.split(' ').slice(3).join(' ')),
      [
        'member_in administrator',
        'supervisor_in administrator',
        'mailbox_in administrator',
        'member_out administrator',
        'mailbox_out administrator',
      ],
    )
  })

  test('from the invitation to the first voicemail', async () => {
    const body = { login: 'dana', name: 'Dana', roles: [{ role: 'clinician' }], reason: 'new on ward 3' }
    const invited = await answered(ask('POST', '/v1/people', { as, body }), 201, schemas.InvitedPerson)
    const post = (path: string, sent: object) =>
      fetch(front.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sent),
      })
    const start = { invitation: invited.invitation.token, password: 'seven green lanterns sway' }
    const begun = await answered(post('/v1/invitations/accept', start), 200, schemas.InvitationBegun)
    assert.ok(begun.type === 'password')
    const answer = { attempt: begun.attempt, code: totpCode(begun.secret, new Date()) }
    const joined = await answered(post('/v1/invitations/complete', answer), 201, schemas.Joined)
    assert.ok('token' in joined.session)
    const { token } = joined.session
    assert.deepEqual((await answered(ask('GET', '/v1/me', { as: token }), 200, schemas.Me)).roles, [])

    const owners = `/v1/mailboxes/${clinic.mailbox.id}/owners/${invited.person.id}`
    await empty(ask('PUT', owners, { as }))
    assert.equal(await show(token), 403)
    const open = ask('GET', '/v1/role-requests?state=open', { as })
    const [request] = (await answered(open, 200, schemas.RoleRequestPage)).requests
    const decision = `/v1/role-requests/${request?.id}/decision`
    const officer = await sessionOf(clinic.complianceOfficer)
    await answered(ask('POST', decision, { as: officer, body: { approve: true } }), 200, schemas.RoleRequest)
    assert.equal(await show(token), 200)

    // An invitation is spent, and a reset makes another of which one is open.
    await refused(post('/v1/invitations/accept', start), 'notFound')
    const path = `/v1/people/${invited.person.id}/factor-reset`
    const first = await answered(ask('POST', path, { as }), 201, schemas.Invitation)
    await answered(ask('POST', path, { as }), 201, schemas.Invitation)
    assert.equal(await show(token), 401)
    const old = { ...start, invitation: first.token }
    await refused(post('/v1/invitations/accept', old), 'notFound')
  })

  test('things of another tenant are not there, and only administrators change any', async () => {
    const elsewhere = await sessionOf(other.administrator)
    const made = ask('POST', '/v1/teams', { as: elsewhere, body: { name: 'Theirs' } })
    const theirs = await answered(made, 201, schemas.Team)
    const own = await answered(ask('POST', '/v1/teams', { as, body: { name: 'Ours' } }), 201, schemas.Team)
    const strangerId = idOf(clinic.stranger)
    const paths: readonly (readonly [string, string, unknown?])[] = [
      ['PUT', `/v1/teams/${theirs.id}/members/${strangerId}`, {}],
      ['PUT', `/v1/teams/${own.id}/members/${idOf(other.stranger)}`, {}],
      ['DELETE', `/v1/teams/${theirs.id}/members/${idOf(other.stranger)}`],
      ['PUT', `/v1/teams/${own.id}/mailboxes/${other.mailbox.id}`],
      ['PUT', `/v1/teams/${theirs.id}/mailboxes/${clinic.mailbox.id}`],
      ['PUT', `/v1/mailboxes/${other.mailbox.id}/owners/${strangerId}`],
      ['PUT', `/v1/mailboxes/${clinic.mailbox.id}/owners/${idOf(other.stranger)}`],
      ['DELETE', `/v1/mailboxes/${other.mailbox.id}/owners/${idOf(other.clinician)}`],
      ['GET', `/v1/people/${idOf(other.stranger)}`],
      ['PATCH', `/v1/people/${idOf(other.stranger)}`, { disabled: true }],
      ['POST', `/v1/people/${idOf(other.stranger)}/factor-reset`],
      ['DELETE', `/v1/people/${idOf(other.stranger)}/roles/clinician`],
    ]
    for (const [method, path, body] of paths) await refused(ask(method, path, { as, body }), 'notFound')
    assert.deepEqual((await vault.catalog.findUserByLogin(other.tenant.id, 'stranger'))?.disabledAt, null)
    for (const person of [clinic.clinician, clinic.complianceOfficer, clinic.auditor]) {
      const token = await sessionOf(person)
      const asked = { as: token, body: { name: 'Mine', address: '3001' } }
      await refused(ask('POST', '/v1/teams', { ...asked, body: { name: 'Mine' } }), 'denied')
      await refused(ask('POST', '/v1/mailboxes', asked), 'denied')
      await refused(
        ask('PUT', `/v1/mailboxes/${clinic.mailbox.id}/owners/${strangerId}`, { as: token }),
        'denied',
      )
    }
  })

  test('a mailbox is made, given to somebody, heard by them, and taken away', async () => {
    const body = { address: '3001', name: 'Ward 3' }
    const made = await answered(ask('POST', '/v1/mailboxes', { as, body }), 201, schemas.Mailbox)
    await refused(ask('POST', '/v1/mailboxes', { as, body }), 'conflict')
    for (const address of ['', '30 01', 'x'.repeat(65), "1'; drop"])
      await refused(ask('POST', '/v1/mailboxes', { as, body: { ...body, address } }), 'malformed')
    const theirs = await sessionOf(clinic.stranger)
    const owner = (id: MailboxId) => `/v1/mailboxes/${id}/owners/${idOf(clinic.stranger)}`
    await empty(ask('PUT', owner(made.id), { as }))
    const mine = await answered(ask('GET', '/v1/mailboxes', { as: theirs }), 200, schemas.MailboxList)
    assert.deepEqual(mine.mailboxes, [made])
    assert.equal(await show(theirs), 403)
    await empty(ask('PUT', owner(clinic.mailbox.id), { as }))
    await empty(ask('PUT', owner(clinic.mailbox.id), { as }))
    assert.equal(await show(theirs), 200)
    await empty(ask('DELETE', owner(clinic.mailbox.id), { as }))
    await refused(ask('DELETE', owner(clinic.mailbox.id), { as }), 'notFound')
    assert.equal(await show(theirs), 403)
    assert.equal((await logged('mailbox.released')).length, 1)
  })

  test('an administrator who is a clinician opens no mailbox to themselves, by any of the ways', async () => {
    const both = await makePerson(vault, clinic.tenant, 'both', ['administrator', 'clinician'])
    const as = await sessionOf(both)
    const own = await ask('POST', '/v1/teams', { as, body: { name: 'A team of two' } })
    const { id: team } = schemas.Team.parse(await own.json())
    const mailbox = clinic.mailbox.id
    const until = inDays(1)
    const { userId: from } = { userId: idOf(clinic.clinician) }
    const teamOfOwn = `/v1/teams/${team}`
    assert.match(
      await refused(ask('PUT', `/v1/mailboxes/${mailbox}/owners/${idOf(both)}`, { as }), 'denied'),
      /own_access/,
    )
    const member = { supervises: false }
    await refused(ask('PUT', `${teamOfOwn}/members/${idOf(both)}`, { as, body: member }), 'denied')
    const cover = { mailbox, from, to: idOf(both), until }
    await refused(ask('POST', '/v1/delegations', { as, body: cover }), 'denied')
    // Put into the team by another, they still do not fill it.
    const deputyToken = await sessionOf(deputy)
    const put = await ask('PUT', `${teamOfOwn}/members/${idOf(both)}`, { as: deputyToken, body: member })
    assert.equal(put.status, 204)
    await refused(ask('PUT', `${teamOfOwn}/mailboxes/${mailbox}`, { as }), 'denied')
    const events = await auditEvents(vault, clinic.tenant.id)
    const denied = events.filter(
      ({ outcome, reasons }) => outcome === 'denied' && reasons[0] === 'own_access',
    )
    assert.deepEqual(
      denied.map(({ action }) => action),
      ['mailbox.assigned', 'team.changed', 'delegation.created', 'team.changed'],
    )
  })

  test('an owner has their mailbox covered until a time, and nobody passes that on', async () => {
    const owner = await sessionOf(clinic.clinician)
    const covering = await sessionOf(clinic.stranger)
    const third = await makePerson(vault, clinic.tenant, 'third', ['clinician'])
    const cover = (token: string, change: object = {}) =>
      ask('POST', '/v1/delegations', {
        as: token,
        body: { mailbox: clinic.mailbox.id, to: idOf(clinic.stranger), until: inDays(3), ...change },
      })
    assert.match(await refused(cover(covering, { to: idOf(third) }), 'denied'), /not_owner/)
    const made = await answered(cover(owner), 201, schemas.Delegation)
    assert.equal(made.from, idOf(clinic.clinician))
    assert.equal(await show(covering), 200)
    assert.match(await refused(cover(covering, { to: idOf(third) }), 'denied'), /not_owner/)
    for (const [token, count] of [
      [owner, 1],
      [covering, 1],
      [await sessionOf(third), 0],
    ] as const) {
      const page = await answered(ask('GET', '/v1/delegations', { as: token }), 200, schemas.DelegationPage)
      assert.equal(page.delegations.length, count)
    }
    await refused(ask('GET', '/v1/delegations?all=true', { as: covering }), 'denied')
    const end = (token: string) => ask('DELETE', `/v1/delegations/${made.id}`, { as: token })
    await refused(end(covering), 'denied')
    await refused(end(await sessionOf(other.clinician)), 'notFound')
    await empty(end(owner))
    await refused(end(owner), 'conflict')
    assert.equal(await show(covering), 403)
    const to = idOf(clinic.stranger)
    assert.deepEqual(
      (await auditEvents(vault, clinic.tenant.id))
        .filter(({ action, outcome }) => action.startsWith('delegation.') && outcome === 'allowed')
        .map(({ action, object }) => [action, object?.id, object?.version]),
      [
        ['delegation.created', clinic.mailbox.id, to],
        ['delegation.ended', clinic.mailbox.id, to],
      ],
    )
  })

  test('cover has bounds, and an administrator arranges it for an owner', async () => {
    const owner = await sessionOf(clinic.clinician)
    const good = { mailbox: clinic.mailbox.id, to: idOf(clinic.stranger), until: inDays(3) }
    const cover = (token: string, change: object) =>
      ask('POST', '/v1/delegations', { as: token, body: { ...good, ...change } })
    for (const change of [
      { until: inDays(91) },
      { until: inDays(-1) },
      { startsAt: inDays(4) },
      { startsAt: inDays(-1) },
      { startsAt: inDays(91), until: inDays(92) },
      { to: idOf(clinic.clinician) },
      { from: idOf(clinic.stranger), to: idOf(clinic.supervisor) },
      { until: null },
    ])
      await refused(cover(owner, change), 'malformed')
    await refused(cover(owner, { to: idOf(other.stranger) }), 'notFound')
    await refused(cover(owner, { mailbox: other.mailbox.id }), 'notFound')
    const startsAt = inDays(1)
    const until = new Date(Date.parse(startsAt) + 90 * dayMs).toISOString()
    const longest = await answered(cover(owner, { startsAt, until }), 201, schemas.Delegation)
    assert.equal(await show(await sessionOf(clinic.stranger)), 403)
    assert.equal(longest.endedAt, null)

    const arranged = await answered(cover(as, {}), 201, schemas.Delegation)
    assert.deepEqual(
      [arranged.from, arranged.createdBy].join(),
      [idOf(clinic.clinician), idOf(clinic.administrator)].join(),
    )
    const another = await makePerson(vault, clinic.tenant, 'another', ['clinician'])
    await empty(ask('PUT', `/v1/mailboxes/${clinic.mailbox.id}/owners/${idOf(another)}`, { as }))
    await refused(cover(as, {}), 'malformed')
    await answered(cover(as, { from: idOf(another) }), 201, schemas.Delegation)
    await refused(cover(as, { from: idOf(clinic.auditor) }), 'conflict')
  })

  test('labels: clinicians and officers put them on, an officer who may hear them takes them off', async () => {
    const path = `/v1/recordings/${recording}`
    const label = (token: string, add: readonly string[], remove: readonly string[] = []) =>
      ask('PATCH', path, { as: token, body: { labels: { add, remove } } })
    const clinician = await sessionOf(clinic.clinician)
    const officer = await sessionOf(clinic.complianceOfficer)
    const labelled = await answered(label(clinician, ['vip']), 200, schemas.RecordingView)
    assert.deepEqual(labelled.labels, ['vip'])
    assert.equal(await show(clinician), 403)
    await refused(label(clinician, [], ['vip']), 'denied')
    const both = await answered(label(officer, ['part2', 'vip']), 200, schemas.RecordingView)
    assert.deepEqual(both.labels, ['part2', 'vip'])
    for (const person of [clinic.stranger, clinic.supervisor, clinic.administrator, clinic.auditor])
      await refused(label(await sessionOf(person), ['employee']), 'denied')

    const cleared = await makePerson(vault, clinic.tenant, 'cleared', [
      ...(['compliance_officer', 'hears_vip', 'hears_part2'] as const),
    ])
    const stale = { verifiedAt: new Date(Date.now() - 5 * 60_000 - 1) }
    const { token: late } = await front.sessionOf(cleared, stale)
    await refused(label(late, [], ['vip']), 'stepUpRequired')
    await refused(label(await front.tokenOf(cleared), [], ['vip']), 'denied')
    const fresh = await sessionOf(cleared)
    const changed = await answered(label(fresh, ['employee'], ['vip', 'part2']), 200, schemas.RecordingView)
    assert.deepEqual(changed.labels, ['employee'])
    assert.deepEqual(
      (await auditEvents(vault, clinic.tenant.id))
        .filter(({ action, outcome }) => action === 'recording.labelled' && outcome === 'allowed')
        .map(({ reasons }) => reasons.filter(reason => /^(?:without_)?(?:vip|part2|employee)$/.test(reason))),
      [['vip'], ['part2', 'vip'], ['employee', 'without_vip', 'without_part2']],
    )
    await refused(label(await sessionOf(other.complianceOfficer), ['vip']), 'notFound')
    for (const body of [
      {},
      { labels: {} },
      { labels: { add: [], remove: [] } },
      { labels: { add: ['secret'] } },
      { labels: { add: ['vip', 'vip'] } },
      { labels: { add: ['vip'], remove: ['vip'] } },
      { heard: true, labels: { add: ['vip'] } },
    ])
      await refused(ask('PATCH', path, { as: officer, body }), 'malformed')
  })
})

test('nothing of all this was a failure of ours', () => {
  assert.deepEqual(
    front.log.lines.filter(line => line.includes('"level":"error"') || line.includes('A request failed')),
    [],
  )
})
