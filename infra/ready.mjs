// Whether the service in this container can work: asks its /readyz and ends with 0 or 1.
// Usage: node infra/ready.mjs PORT
const timeoutMs = 3000

try {
  const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`, {
    signal: AbortSignal.timeout(timeoutMs),
  })
  process.stdout.write(await answer.text())
  process.exitCode = answer.ok ? 0 : 1
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
