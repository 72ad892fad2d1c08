// Who took part: the client, the vault, and the person. Their roles are those of the event's family of BALP profiles.
import type { AuditEvent } from '../event.ts'
import { agentType, concept } from './codes.ts'
import type { FhirContext } from './context.ts'
import { type Family, type Mapping, purposeOfUse } from './mapping.ts'
import type { Agent, Coding, Network, Reference } from './resource.ts'
import { fhirText, identifierOf, present } from './text.ts'

/**
 * BALP wants an address of the client in every event. Where the log keeps it in a private part that is not opened, was
 * dropped or never was, this stands for it: a URI that nobody takes for an address.
 */
export const withheldAddress = 'urn:auricle:address:withheld'
/** Likewise where a disclosure went, unless the address that the log keeps is one of a network. */
export const recipientAddress = 'urn:auricle:address:recipient'

interface Parts {
  readonly client: Coding
  readonly server: Coding
  readonly user: Coding
}

const author: Parts = {
  client: agentType.source,
  server: agentType.destination,
  user: agentType.author,
}
const unprofiled: Parts = { ...author, user: agentType.humanUser }

/** A query flows from the client to the vault, as what is created does; what is read flows to the client. */
const partsOf = {
  Create: author,
  Update: author,
  Delete: { client: agentType.application, server: agentType.custodian, user: agentType.author },
  Read: { client: agentType.destination, server: agentType.source, user: agentType.recipient },
  Query: { client: agentType.source, server: agentType.destination, user: agentType.recipient },
  // The vault is the source, whoever receives it the destination, and the client neither.
  Disclosure: { client: agentType.application, server: agentType.source, user: agentType.humanUser },
} as const satisfies Record<Family, Parts>

export function agentsOf(event: AuditEvent, mapping: Mapping, context: FhirContext): Agent[] {
  const { family } = mapping
  const parts = family === null ? unprofiled : partsOf[family]
  // A part of the vault by itself: what it does has one participant, unless a profile wants both sides named.
  if (family === null && isOwnPart(event))
    return [clientOf(event, { ...parts, client: agentType.application }, context)]
  return [
    clientOf(event, parts, context),
    serverOf(parts, context),
    ...(family === 'Disclosure' ? [recipientOf(event, context)] : []),
    ...(event.actor.type === 'user' ? [userOf(event, parts, context)] : []),
  ]
}

/** The vault, as it stands in `agent.who` and, where it observed itself, in `source.observer`. */
export const vaultOf = ({ server }: FhirContext): Reference => ({ identifier: identifierOf(server.name) })

function clientOf(event: AuditEvent, { client }: Parts, context: FhirContext): Agent {
  const { actor } = event
  const name = fhirText(context.private?.userAgent)
  const isUser = actor.type === 'user'
  return {
    type: concept(client),
    who: isUser ? sessionOf(actor.session) : { identifier: identifierOf(actor.id) },
    ...present('altId', isUser ? null : fhirText(context.private?.login)),
    ...present('name', name),
    requestor: !isUser,
    network: clientNetwork(event, context),
    ...(isUser ? {} : reasonsOf(event)),
  }
}

function serverOf({ server }: Parts, context: FhirContext): Agent {
  return {
    type: concept(server),
    who: vaultOf(context),
    requestor: false,
    network: hostNetwork(context),
  }
}

function recipientOf({ detail }: AuditEvent, context: FhirContext): Agent {
  const kind = detail?.kind === 'disclosed' ? detail.recipientKind : 'recipient'
  const address = fhirText(context.private?.recipientAddress)
  return {
    type: concept(agentType.destination),
    who: { display: fhirText(context.private?.recipientName) ?? kind },
    requestor: false,
    network:
      address !== null && /^[^\s@]+@[^\s@]+$/.test(address)
        ? { address, type: '4' }
        : { address: recipientAddress, type: '5' },
  }
}

function userOf(event: AuditEvent, { user }: Parts, context: FhirContext): Agent {
  const { actor } = event
  return {
    type: concept(user),
    who: { identifier: identifierOf(actor.id) },
    ...present('altId', fhirText(context.private?.login)),
    requestor: true,
    ...present('policy', actor.session === null ? null : [`urn:ietf:params:oauth:jti:${actor.session}`]),
    ...reasonsOf(event),
  }
}

function reasonsOf(event: AuditEvent): Pick<Agent, 'purposeOfUse'> {
  const codes = purposeOfUse(event)
  return codes.length === 0 ? {} : { purposeOfUse: codes.map(concept) }
}

const sessionOf = (session: string | null): Reference =>
  session === null ? { display: 'client without a session' } : { identifier: identifierOf(session) }

function clientNetwork(event: AuditEvent, context: FhirContext): Network {
  const address = fhirText(context.private?.ip)
  if (address !== null) return { address, type: '2' }
  return isOwnPart(event) ? hostNetwork(context) : { address: withheldAddress, type: '5' }
}

function hostNetwork({ server: { host } }: FhirContext): Network {
  return { address: host, type: /^[\d.]+$|:/.test(host) ? '2' : '1' }
}

/** A system may also be a provider of identity that vouches for somebody: that one comes from outside. */
const isOwnPart = ({ actor }: AuditEvent): boolean =>
  actor.type === 'system' && identifierOf(actor.id).system === 'urn:auricle:part'
