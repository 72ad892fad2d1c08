// How a decision is written down.
import type { Decision } from './actor.ts'

export const allowed = (...reasons: readonly string[]): Decision => ({ allowed: true, reasons })
export const denied = (...reasons: readonly string[]): Decision => ({ allowed: false, reasons })
