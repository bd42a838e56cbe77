// Yjs with y-websocket. The small document is a Y.Map in a Y.Doc of its own; all documents together are one Y.Doc, in it a
// Y.Map of the documents, each a Y.Map of its fields. The server is @y/websocket-server as it comes, which keeps documents in
// memory and never on a disk.
import http from 'node:http'
import { WebSocketServer, WebSocket } from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'
import { now, read, since_ms, small, tell } from './documents.mjs'

const [role, port, name, count] = process.argv.slice(2)

async function connect(room) {
  const doc = new Y.Doc()
  const url = `ws://127.0.0.1:${port}`
  const provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true })
  await new Promise(resolve => provider.once('sync', resolve))
  return { doc, provider }
}

/** @returns how many documents a client that knows nothing is given */
async function load(room) {
  const { doc, provider } = await connect(room)
  let found = 0
  for (const fields of doc.getMap('packages').values()) if (fields.get('name') !== undefined) found++
  provider.destroy()
  return found
}

async function fill(documents) {
  const { doc } = await connect('all')
  const begin = now()
  const packages = doc.getMap('packages')
  for (let first = 0; first < documents.length; first += 100) {
    doc.transact(() => {
      for (const fields of documents.slice(first, first + 100)) packages.set(fields.name, new Y.Map(Object.entries(fields)))
    })
  }
  const ms = since_ms(begin)
  while ((await load('all')) < documents.length);
  tell({ kind: 'filled', ms, id: 'all', count: documents.length })
}

if (role === 'server') {
  const { setupWSConnection } = await import('@y/websocket-server/utils')
  const server = http.createServer()
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', setupWSConnection)
  server.listen(0, '127.0.0.1', () => tell({ kind: 'ready', port: server.address().port }))
} else if (role === 'writer') {
  const fields = (await connect('small')).doc.getMap('fields')
  for (const [field, value] of Object.entries(small)) fields.set(field, value)
  process.on('message', message => {
    if (message.kind === 'fill') return fill(read(message.documents))
    const time = now()
    fields.set('size', message.number)
    tell({ kind: 'made', at: String(time) })
  })
  tell({ kind: 'ready', id: 'small' })
} else if (role === 'reader') {
  const fields = (await connect(name)).doc.getMap('fields')
  fields.observe(() => {
    const number = fields.get('size')
    tell({ kind: 'seen', number, at: String(now()) })
  })
  tell({ kind: 'ready' })
} else {
  const begin = now()
  if ((await load(name)) !== Number(count)) process.exit(2)
  tell({ kind: 'loaded', ms: since_ms(begin) })
}
