// Notices to custodians: everything that somebody wrote is in them, in lines that any screen and any paper takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newHoldId } from '@auricle/contract'
import fc from 'fast-check'
import { type NoticeFacts, noticeText } from './notice-text.ts'

const facts: NoticeFacts = {
  ...{ hold: newHoldId(), practice: 'A clinic', notice: 'Keep the slips.\nAlso the old ones.' },
  ...{ toldAt: new Date('2026-03-01T23:59:59Z'), acknowledgedAt: null, releasedAt: null },
}

test('a notice is a document: who, since when, what is asked, what it means, and how to say so', () => {
  const text = noticeText(facts)
  assert.match(
    text,
    /^LEGAL HOLD: DO NOT DESTROY\n\nPractice: {2}A clinic\nHold: {6}hld_\w{26}\nTold on: {3}2026-03-01\n\n/,
  )
  assert.match(text, /\n\nKeep the slips\.\nAlso the old ones\.\n\nWhat this means\n\n- Keep everything/)
  assert.ok(text.endsWith(`Say that you have read this:\n\n    auricle hold acknowledge ${facts.hold}\n`))
  const read = noticeText({ ...facts, notice: null, acknowledgedAt: new Date('2026-03-02T01:00:00Z') })
  assert.ok(read.endsWith('\nYou said on 2026-03-02 that you have read this.\n'))
  const over = noticeText({ ...facts, releasedAt: new Date('2027-01-01T00:00:00Z') })
  assert.match(over, /^LEGAL HOLD: OVER\n/)
  assert.match(over, /This hold ended on 2027-01-01\./)
  assert.doesNotMatch(over, /slips|acknowledge/)
})

test('whatever was written is there word for word, in lines of at most 78 characters unless a word is longer', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcÄß漢😀-.,'), minLength: 1, maxLength: 90 })
  const line = fc.array(word, { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), written => {
      const notice = written.map(words => words.join(' ')).join('\n')
      const text = noticeText({ ...facts, notice })
      const words = text.split(/\s+/)
      assert.ok(words.join(' ').includes(written.flat().join(' ')))
      for (const shown of text.split('\n')) assert.ok(shown.length <= 78 || !shown.trim().includes(' '))
    }),
  )
})

test('nothing in it moves a cursor, rings, or turns a line around', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), notice => {
      const text = noticeText({ ...facts, notice: `${notice}\u{1B}[2J\u{202E}x\u{7}` })
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}]/u)
    }),
  )
})
