// The tenant that every benchmark delivers to and listens with.
import { randomUUID } from 'node:crypto'
import { type Clinic, openClinic } from '../../harness/clinic.ts'
import type { Place } from './product.ts'

const maxBytes = 4 * 1024 ** 3

export function openBenchClinic(place: Place): Promise<Clinic> {
  return openClinic(place, {
    slug: 'bench',
    name: 'Bench clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'A clinician',
    password: randomUUID(),
    allowedHosts: [],
    maxBytes,
  })
}
