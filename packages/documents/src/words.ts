// How numbers, sizes, times and the vault's own words read on paper.
import type { AgeBand, OverdueReason, ReportState } from '@auricle/contract'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const cents = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const bytesPerUnit = 1024
const msPerHour = 3_600_000

export const count = (value: number): string => whole.format(value)
export const money = (value: number): string => cents.format(value)
export const hours = (ms: number): string => tenths.format(ms / msPerHour)

export function size(bytes: number): string {
  const power = Math.min(
    units.length - 1,
    bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(bytesPerUnit)),
  )
  const value = bytes / bytesPerUnit ** power
  return `${power === 0 ? whole.format(value) : tenths.format(value)} ${units[power]}`
}

/** An instant to the minute, UTC. */
export const minute = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
export const day = (instant: string): string => instant.slice(0, 10)

/** What a font has no sign for, or would obey, is shown as something that is missing. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')

/** A word that is wider than a column is no reason to push the other columns off the page. */
export const breakable = (text: string): string => plain(text).replace(/\S{24}(?=\S)/gu, '$&\u{200B}')

export const stateWords: Readonly<Record<ReportState, string>> = {
  held: 'On hold',
  permanent: 'Permanent',
  undecided: 'Undecided',
  waiting: 'Waiting',
  unruled: 'No rule',
  kept: 'Kept',
  due: 'Due',
}

export const ageWords: Readonly<Record<AgeBand, string>> = {
  under_30_days: 'Under 30 days',
  under_90_days: '30 to 90 days',
  under_1_year: '90 days to 1 year',
  under_2_years: '1 to 2 years',
  under_3_years: '2 to 3 years',
  under_6_years: '3 to 6 years',
  under_7_years: '6 to 7 years',
  under_10_years: '7 to 10 years',
  '10_years_and_more': '10 years and more',
}

export const reasonWords: Readonly<Record<OverdueReason, string>> = {
  hold: 'On legal hold',
  undecided: 'Nobody decided whether it is of the designated record set',
  unproposed: 'In no disposition yet',
  review: 'Waits for a review',
  waiting_period: 'In its waiting period',
  error: 'Destroying it failed',
  destroying: 'Is being destroyed',
}
