// node --expose-gc trace.mjs yjs|automerge|loro FILE.json.gz captured|commits|replicas: an editing trace typed again into the
// library named, in memory, as it comes: one author's, a transaction every 100 edits, or one for each; or that of several, each
// with a replica of his own, who is told what he knows in the trace before he writes. Prints one line of JSON: a list of remarks
// and of [work, unit, target, value], as goat_bench has them. Positions of a trace count code points, those of the libraries
// UTF-16 units: a trace in which these differ is refused.
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const [peer, path, kind] = process.argv.slice(2)
const EDITS_A_CAPTURE = 100
const trace = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'))
const report = []

// A library: an empty document; one transaction; the contents; all of it as bytes; a document from these. And for replicas: a
// further one of the empty document; the last transaction as bytes; being told some of others.
async function library(name) {
  if (name === 'yjs') {
    const Y = await import('yjs')
    const make = () => {
      const doc = new Y.Doc()
      const at = { doc, text: doc.getText('text') }
      doc.on('update', update => { at.last = update })
      return at
    }
    const edit = (at, patches) => {
      at.doc.transact(() => {
        for (const [position, removed, inserted] of patches) {
          if (removed > 0) at.text.delete(position, removed)
          if (inserted !== '') at.text.insert(position, inserted)
        }
      })
      return at
    }
    return {
      make, edit, read: at => at.text.toString(),
      save: at => Y.encodeStateAsUpdate(at.doc),
      load: bytes => {
        const at = make()
        Y.applyUpdate(at.doc, bytes)
        return at
      },
      another: make, last: at => at.last,
      hear: (at, updates) => {
        for (const update of updates) Y.applyUpdate(at.doc, update)
        return at
      },
    }
  }
  if (name === 'automerge') {
    const A = await import('@automerge/automerge')
    const edit = (doc, patches) =>
      A.change(doc, draft => {
        for (const [position, removed, inserted] of patches) A.splice(draft, ['text'], position, removed, inserted)
      })
    return {
      make: () => A.from({ text: '' }), edit, read: doc => doc.text,
      save: doc => A.save(doc), load: bytes => A.load(bytes),
      another: doc => A.clone(doc), last: doc => A.getLastLocalChange(doc),
      hear: (doc, changes) => A.applyChanges(doc, changes)[0],
    }
  }
  const { LoroDoc } = await import('loro-crdt')
  const wrap = doc => ({ doc, text: doc.getText('text') })
  return {
    make: () => wrap(new LoroDoc()),
    edit: (at, patches) => {
      at.before = at.doc.version()
      for (const [position, removed, inserted] of patches) {
        if (removed > 0) at.text.delete(position, removed)
        if (inserted !== '') at.text.insert(position, inserted)
      }
      at.doc.commit()
      return at
    },
    read: at => at.text.toString(),
    save: at => at.doc.export({ mode: 'snapshot' }),
    load: bytes => {
      const doc = new LoroDoc()
      doc.import(bytes)
      return wrap(doc)
    },
    another: () => wrap(new LoroDoc()), last: at => at.doc.export({ mode: 'update', from: at.before }),
    hear: (at, updates) => {
      at.doc.importBatch(updates)
      return at
    },
  }
}

const now = () => Number(process.hrtime.bigint()) / 1e6
const figure = (work, unit, value) => report.push([work, unit, 0, value])
const end = trace.endContent
const refuse = words => {
  process.stderr.write(`${peer}: ${words}\n`)
  process.exit(1)
}

function check(lib, doc, words) {
  if (lib.read(doc) !== end) report.push(`${peer}, ${words}: ENDS OTHERWISE`)
}

/** Begins to count this process's memory anew; gives a function for the megabytes that it had at most beyond what it has now. */
function memory() {
  const bytes = name => Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${name}:\\s+(\\d+)`))[1]) * 1024
  globalThis.gc?.()
  writeFileSync('/proc/self/clear_refs', '5')
  const before = bytes('VmRSS')
  return () => (bytes('VmHWM') - before) / 1e6
}

function sizes(lib, doc, of) {
  const bytes = lib.save(doc)
  figure(`${of}log`, 'MB', bytes.length / 1e6)
  for (let i = 0; i < 3; i++) {
    const begin = now()
    const again = lib.load(bytes)
    check(lib, again, 'loaded again')
    figure(`${of}open with it, and read`, 'ms', now() - begin)
  }
}

function sequential(lib, edits_a_transaction, work, of, memory_of) {
  const patches = trace.txns.flatMap(txn => txn.patches)
  const most = memory()
  let doc = lib.make()
  const begin = now()
  if (trace.startContent) doc = lib.edit(doc, [[0, 0, trace.startContent]])
  for (let i = 0; i < patches.length; i += edits_a_transaction) {
    doc = lib.edit(doc, patches.slice(i, i + edits_a_transaction))
  }
  const seconds = (now() - begin) / 1e3
  figure(work, 's', seconds)
  figure(memory_of, 'MB', most())
  check(lib, doc, work)
  sizes(lib, doc, of)
}

/** How many transactions of each author somebody knows who has written each: a list for each transaction, himself included. */
function knowledge(agents) {
  const written = Array(agents).fill(0)
  return trace.txns.reduce((all, { parents, agent }) => {
    const knows = Array(agents).fill(0)
    for (const parent of parents) all[parent].forEach((count, of) => { knows[of] = Math.max(knows[of], count) })
    if (knows[agent] !== written[agent]) refuse('an author does not know what he wrote before: he is more than one replica')
    knows[agent] = ++written[agent]
    all.push(knows)
    return all
  }, [])
}

function concurrent(lib) {
  const agents = Math.max(...trace.txns.map(txn => txn.agent)) + 1
  const knows = knowledge(agents)
  const said = Array.from({ length: agents }, () => [])
  const heard = said.map(() => Array(agents).fill(0))
  let merges = 0, merging = 0
  const most = memory()
  const begin = now()
  const first = lib.make()
  const replicas = said.map((_, agent) => agent === 0 ? first : lib.another(first))
  const tell = (agent, known) => {
    const news = said.flatMap((from, of) => of === agent ? [] : from.slice(heard[agent][of], known[of]))
    if (news.length === 0) return
    const arrives = now()
    replicas[agent] = lib.hear(replicas[agent], news)
    lib.read(replicas[agent])
    merging += now() - arrives
    merges++
    heard[agent] = known
  }
  trace.txns.forEach(({ agent, patches }, i) => {
    tell(agent, knows[i])
    replicas[agent] = lib.edit(replicas[agent], patches)
    said[agent].push(lib.last(replicas[agent]))
  })
  const all = said.map(from => from.length)
  replicas.forEach((_, agent) => tell(agent, all))
  figure('all replicas, each txn a commit', 's', (now() - begin) / 1e3)
  figure('peak memory, all replicas', 'MB', most())
  figure('merge: from each arrival until it is read', 'us', merging / merges * 1e3)
  replicas.forEach((doc, agent) => check(lib, doc, `agent ${agent}`))
  sizes(lib, replicas[0], '')
}

if ([...end].length !== end.length || trace.txns.some(txn => txn.patches.some(([, , text]) => /[\ud800-\udbff]/.test(text)))) {
  refuse('the trace has characters outside of the basic plane, where positions would have to be converted')
}
const lib = await library(peer)
if (kind === 'replicas') concurrent(lib)
else if (kind === 'captured') sequential(lib, EDITS_A_CAPTURE, 'captured every 100 edits', '', 'peak memory')
else sequential(lib, 1, 'each edit a commit, 1,000 a batch', 'each a commit: ', 'each a commit: peak memory')
process.stdout.write(JSON.stringify(report))
