// Holds the gate to its bounds: never more at once than allowed, none lost, none stuck.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { IdentityError } from './error.ts'
import { createGate } from './gate.ts'

const isBusy = (error: unknown) => error instanceof IdentityError && error.code === 'busy' && error.transient

test('runs at most so many at once, in order, and all of them', async () => {
  const gate = createGate({ maxRunning: 3, maxWaiting: 100 })
  const begun: number[] = []
  let running = 0
  let most = 0
  const task = (index: number) => async () => {
    begun.push(index)
    most = Math.max(most, ++running)
    await setImmediate()
    running -= 1
    return index
  }
  const numbers = Array.from({ length: 50 }, (_, index) => index)
  assert.deepEqual(await Promise.all(numbers.map(index => gate(task(index)))), numbers)
  assert.deepEqual(begun, numbers)
  assert.equal(most, 3)
})

test('refuses whoever comes when too many wait, and works on afterwards', async () => {
  const gate = createGate({ maxRunning: 1, maxWaiting: 1 })
  const { promise, resolve } = Promise.withResolvers<string>()
  const first = gate(() => promise)
  const second = gate(async () => 'second')
  await assert.rejects(
    gate(async () => 'third'),
    isBusy,
  )
  resolve('first')
  assert.deepEqual(await Promise.all([first, second]), ['first', 'second'])
  assert.equal(await gate(async () => 'fourth'), 'fourth')
})

test('a failing task gives its place back', async () => {
  const gate = createGate({ maxRunning: 1, maxWaiting: 0 })
  await assert.rejects(
    gate(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await gate(async () => 1), 1)
})

test('whoever stops waiting does not run, and does not block the next', async () => {
  const gate = createGate({ maxRunning: 1, maxWaiting: 2 })
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = gate(() => promise)
  const abort = new AbortController()
  let ran = false
  const stopped = gate(
    async () => {
      ran = true
    },
    { signal: abort.signal },
  )
  const third = gate(async () => 'third')
  abort.abort(new Error('gone'))
  await assert.rejects(stopped, /gone/)
  resolve()
  await first
  assert.equal(await third, 'third')
  assert.equal(ran, false)
  await assert.rejects(
    gate(async () => 1, { signal: AbortSignal.abort(new Error('before')) }),
    /before/,
  )
})
