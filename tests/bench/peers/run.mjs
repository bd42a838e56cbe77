// node run.mjs yjs|automerge DOCUMENTS.ndjson EDITS: a server, a writer, a reader and, later, a newcomer, each its own
// process. First the writer edits a field of one small document and the reader tells when it sees that, one edit after the
// other; then the writer fills the server with all documents, and the newcomer loads them. Prints one line of JSON:
//   {"visible_ms": one for each edit, "fill_ms", "load_ms": from connecting until every document is held}
// the last two null when filling and loading together take longer than 90 seconds.
// All clocks are process.hrtime, which is the machine's monotonic clock in every process.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [peer, documents, edits] = process.argv.slice(2)
const PAUSE_MS = 20
const LONGEST_MS = 90000
const folder = mkdtempSync(join(tmpdir(), 'goat-bench-'))
const children = []

function start(role, ...args) {
  const script = new URL(`./${peer}.mjs`, import.meta.url)
  const child = fork(script, [role, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const heard = []
  let waiting = null
  child.on('message', message => {
    if (waiting && waiting.kind === message.kind) {
      const { resolve } = waiting
      waiting = null
      resolve(message)
    } else heard.push(message)
  })
  child.on('exit', code => {
    if (!child.ending) fail(`${peer}: the ${role} ended with ${code}`)
  })
  child.next = kind => {
    const at = heard.findIndex(message => message.kind === kind)
    if (at >= 0) return Promise.resolve(heard.splice(at, 1)[0])
    return new Promise(resolve => { waiting = { kind, resolve } })
  }
  children.push(child)
  return child
}

function end() {
  for (const child of children) {
    child.ending = true
    child.kill()
  }
  rmSync(folder, { recursive: true, force: true })
}

function fail(why) {
  console.error(why)
  end()
  process.exit(1)
}

process.on('SIGTERM', () => fail(`${peer}: stopped`))

const server = start('server', folder)
const { port } = await server.next('ready')
const writer = start('writer', String(port))
const { id } = await writer.next('ready')
const reader = start('reader', String(port), id)
await reader.next('ready')
const visible_ms = []
for (let number = 1; number <= Number(edits); number++) {
  writer.send({ kind: 'edit', number })
  const made = await writer.next('made')
  let seen
  do seen = await reader.next('seen')
  while (seen.number !== number)
  visible_ms.push(Number(BigInt(seen.at) - BigInt(made.at)) / 1e6)
  await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
}
let fill_ms = null
let load_ms = null
setTimeout(finish, LONGEST_MS)
writer.send({ kind: 'fill', documents })
const filled = await writer.next('filled')
fill_ms = filled.ms
const newcomer = start('newcomer', String(port), filled.id, String(filled.count))
load_ms = (await newcomer.next('loaded')).ms
finish()

function finish() {
  console.log(JSON.stringify({ visible_ms, fill_ms, load_ms }))
  end()
  process.exit(0)
}
