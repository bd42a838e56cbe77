// Automerge-repo. The small document is an Automerge document; all documents together are one, in it a map of the documents,
// each a map of its fields, made in one change. The server stores them in files (NodeFSStorageAdapter), as its own example
// does; it answers before they are written.
import http from 'node:http'
import { WebSocketServer } from 'ws'
import { ImmutableString, Repo } from '@automerge/automerge-repo'
import { WebSocketClientAdapter, WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket'
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs'
import { now, read, since_ms, small, tell } from './documents.mjs'

const [role, where, url, count] = process.argv.slice(2)

// Strings as single values, not edited letter by letter, as they are in libgoat's schema; it is also faster.
const single = value =>
  typeof value === 'string' ? new ImmutableString(value) : Array.isArray(value) ? value.map(single) : value
const fields_of = document => Object.fromEntries(Object.entries(document).map(([name, value]) => [name, single(value)]))

async function connect() {
  const network = [new WebSocketClientAdapter(`ws://127.0.0.1:${where}`)]
  const repo = new Repo({ network, sharePolicy: async () => true })
  await new Promise(resolve => repo.networkSubsystem.once('peer', resolve))
  return repo
}

/** @returns how many documents a client that knows nothing is given; 0 when the server has none yet */
async function load(document_url) {
  const repo = await connect()
  const handle = await repo.find(document_url, { allowableStates: ['ready', 'unavailable'] })
  let found = 0
  if (handle.isReady()) for (const fields of Object.values(handle.doc().packages)) if (fields.name !== undefined) found++
  await repo.shutdown()
  return found
}

async function fill(repo, documents) {
  const begin = now()
  const packages = Object.fromEntries(documents.map(document => [document.name, fields_of(document)]))
  const handle = repo.create({ packages })
  const ms = since_ms(begin)
  while ((await load(handle.url)) < documents.length) await new Promise(resolve => setTimeout(resolve, 200))
  tell({ kind: 'filled', ms, id: handle.url, count: documents.length })
}

if (role === 'server') {
  const server = http.createServer()
  new Repo({
    network: [new WebSocketServerAdapter(new WebSocketServer({ server, perMessageDeflate: false }))],
    storage: new NodeFSStorageAdapter(where),
    peerId: `server-${process.pid}`,
    sharePolicy: async () => false
  })
  server.listen(0, '127.0.0.1', () => tell({ kind: 'ready', port: server.address().port }))
} else if (role === 'writer') {
  const repo = await connect()
  const handle = repo.create(fields_of(small))
  process.on('message', message => {
    if (message.kind === 'fill') return fill(repo, read(message.documents))
    const time = now()
    handle.change(fields => { fields.size = message.number })
    tell({ kind: 'made', at: String(time) })
  })
  tell({ kind: 'ready', id: handle.url })
} else if (role === 'reader') {
  const repo = await connect()
  const handle = await repo.find(url)
  handle.on('change', ({ doc }) => tell({ kind: 'seen', number: doc.size, at: String(now()) }))
  tell({ kind: 'ready' })
} else {
  const begin = now()
  if ((await load(url)) !== Number(count)) process.exit(2)
  tell({ kind: 'loaded', ms: since_ms(begin) })
}
