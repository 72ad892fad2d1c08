// The words of every access decision: roles, labels that restrict, purposes of use, scopes of tokens.
import { z } from 'zod'

/** What a label keeps from everybody who lacks the role of its name. */
export const Label = z.enum(['psychotherapy', 'part2', 'vip', 'employee'])
export type Label = z.infer<typeof Label>

/**
 * What a person may be granted. The `hears_` roles give nothing by themselves: each opens recordings of one label to
 * whoever may hear the mailbox anyway.
 */
export const Role = z.enum([
  'clinician',
  'supervisor',
  'compliance_officer',
  'auditor',
  'recovery_operator',
  'administrator',
  'hears_psychotherapy',
  'hears_part2',
  'hears_vip',
  'hears_employee',
])
export type Role = z.infer<typeof Role>

/** Why a recording is heard (45 CFR 164.502(b): all but treatment, emergency and the patient's own request are kept to what is necessary). */
export const Purpose = z.enum([
  'treatment',
  'payment',
  'operations',
  'quality',
  'investigation',
  'legal',
  'patient_request',
  'emergency',
])
export type Purpose = z.infer<typeof Purpose>

/** What a token of a program may be used for, of what its person may do. */
export const Scope = z.enum([
  'recordings.read',
  'recordings.play',
  'recordings.export',
  'recordings.mark',
  'people.read',
  'people.manage',
  'machines.read',
  'machines.manage',
  'reports.read',
  // The feed of the log, as a collector of security events takes it.
  'audit.follow',
])
export type Scope = z.infer<typeof Scope>

/** How a mailbox came to somebody. */
export const RelationKind = z.enum(['owner', 'team', 'supervises', 'delegation'])
export type RelationKind = z.infer<typeof RelationKind>

/** What was shown at sign-in, in the words of RFC 8176 where it has one. */
export const Factor = z.enum(['pwd', 'otp', 'passkey', 'recovery_code', 'emergency_code', 'provider'])
export type Factor = z.infer<typeof Factor>
