import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describeError } from './describe-error.ts'
import { RuntimeError } from './error.ts'
import type { LogFields } from './log-fields.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

const now = () => new Date('2026-03-04T05:06:07.089Z')
const phone = '+1 555 000 1111'

function capture(options: LoggerOptions = {}) {
  const lines: string[] = []
  const logger = createLogger({
    format: 'json',
    now,
    destination: { write: line => lines.push(line) },
    ...options,
  })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') }
}

describe('the log', () => {
  it('writes one JSON object a line, with its fields', () => {
    const { logger, lines, last } = capture()
    const recordingId = 'rec_01hzy3v4k5m6n7p8q9r0s1t2v3'
    logger.with({ service: 'worker' }).info('Archived', { recordingId, durationMs: 12.5, bytes: 1024 })
    assert.deepEqual(last(), {
      level: 'info',
      time: '2026-03-04T05:06:07.089Z',
      service: 'worker',
      recordingId,
      durationMs: 12.5,
      bytes: 1024,
      msg: 'Archived',
    })
    assert.ok(lines[0]?.endsWith('}\n'))
  })

  it('leaves out what is not listed, and what is not of its shape', () => {
    const { logger, lines, last } = capture()
    const fields: Record<string, unknown> = {
      from: phone,
      recordingId: phone,
      code: phone,
      route: `/v1/recordings?number=${phone}`,
      status: phone,
      tenantId: 15550001111,
      headers: { authorization: 'Bearer abc' },
      [phone]: 1,
    }
    logger.info('Hello', fields as LogFields)
    assert.deepEqual(last().leftOut, [
      'from',
      'recordingId',
      'code',
      'route',
      'status',
      'tenantId',
      'headers',
      '?',
    ])
    assert.ok(!lines.join('').includes('555'))
    assert.ok(!lines.join('').includes('Bearer'))
  })

  it('never carries a value of a field that is not listed', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.uuid(), (name, value) => {
        fc.pre(!['requestId', 'jobId', 'path', 'code', 'event', 'kind', 'outcome', 'state'].includes(name))
        fc.pre(!['signal', 'method', 'version', 'service', 'host', 'error'].includes(name))
        const { logger, lines } = capture()
        logger.warn('Hello', { [name]: value } as LogFields)
        assert.ok(!lines.join('').includes(value))
      }),
    )
  })

  it('is silent below its level', () => {
    const { logger, lines } = capture({ level: 'warn' })
    logger.debug('one')
    logger.info('two')
    logger.warn('three')
    assert.equal(lines.length, 1)
  })

  it('is readable at a terminal', () => {
    const lines: string[] = []
    const logger = createLogger({ now, destination: { write: line => lines.push(line), isTTY: true } })
    logger.warn('The queue is away', {
      code: 'unavailable',
      error: new RuntimeError('folder_in_use', 'It is in use'),
    })
    assert.match(
      lines.join(''),
      /^05:06:07 {2}warn {3}The queue is away {2}code=unavailable\n {2}RuntimeError \(folder_in_use\) It is in use\n {4}at /,
    )
  })
})

describe('describeError', () => {
  it('keeps the words of our errors and not those of others, down the chain of causes', () => {
    const driver = Object.assign(new Error(`Key (number)=(${phone}) already exists`), { code: '23505' })
    const ours = new RuntimeError('folder_unusable', 'The folder cannot be used', { cause: driver })
    const described = describeError(new TypeError(`cannot read ${phone}`, { cause: ours }))
    assert.equal(described.name, 'TypeError')
    assert.equal(described.message, null)
    assert.equal(described.causes[0]?.message, 'The folder cannot be used')
    assert.equal(described.causes[0]?.code, 'folder_unusable')
    assert.equal(described.causes[0]?.causes[0]?.code, '23505')
    assert.ok(!JSON.stringify(described).includes('555'))
    assert.match(described.frames[0] ?? '', /^at .*log\.test\.ts/)
  })

  it('takes a message of several lines for no frame', () => {
    const described = describeError(new Error(`one\n    at ${phone}\n    at two`))
    assert.ok(!JSON.stringify(described).includes('555'))
  })

  it('describes what is gathered, suppressed, endless, or no error at all', () => {
    const gathered = describeError(new AggregateError([new TypeError('one'), new RangeError('two')]))
    assert.deepEqual(
      gathered.causes.map(cause => cause.name),
      ['TypeError', 'RangeError'],
    )
    const suppressed = describeError(new SuppressedError(new TypeError('late'), new RangeError('early')))
    assert.deepEqual(
      suppressed.causes.map(cause => cause.name),
      ['TypeError', 'RangeError'],
    )
    const endless = new Error('round')
    endless.cause = endless
    assert.ok(JSON.stringify(describeError(endless)).length < 100_000)
    assert.equal(describeError(phone).name, 'thrown string')
    assert.equal(describeError(null).name, 'thrown object')
  })

  it('never tells the message of an error that is not ours', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), (secret, name) => {
        fc.pre(!name.includes(secret))
        const error = new Error(`${secret}\n${secret}`)
        assert.ok(!JSON.stringify(describeError(error)).includes(secret))
      }),
    )
  })

  it('knows every error class of ours', () => {
    const source = readFileSync(new URL('./describe-error.ts', import.meta.url), 'utf8')
    const root = fileURLToPath(new URL('../../../', import.meta.url))
    const names = globSync('{packages,services}/*/src/**/*.ts', {
      cwd: root,
      exclude: path => path.endsWith('.test.ts'),
    })
      .map(path => readFileSync(join(root, path), 'utf8'))
      .flatMap(text => Array.from(text.matchAll(/override readonly name = '(\w+)'/g), ([, name]) => name))
    assert.ok(names.length >= 5)
    for (const name of new Set(names)) assert.ok(source.includes(`'${name}'`), `${name} is not listed`)
  })
})
