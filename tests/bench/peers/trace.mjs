// node --expose-gc trace.mjs yjs|automerge|loro FILE.json.gz captured|commits: an editing trace of one author typed again into
// the library named, in memory, as it comes: a transaction every 100 edits, or one for each. Prints one line of JSON: a list of
// remarks and of [work, unit, target, value], as goat_bench has them. Positions of a trace count code points, those of the
// libraries UTF-16 units: a trace in which these differ is refused.
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const [peer, path, kind] = process.argv.slice(2)
const EDITS_A_CAPTURE = 100
const trace = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'))
const report = []

// A library: an empty document; one transaction; the contents; all of it as bytes; a document from these.
async function library(name) {
  if (name === 'yjs') {
    const Y = await import('yjs')
    const make = () => {
      const doc = new Y.Doc()
      return { doc, text: doc.getText('text') }
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
    }
  }
  const { LoroDoc } = await import('loro-crdt')
  const wrap = doc => ({ doc, text: doc.getText('text') })
  return {
    make: () => wrap(new LoroDoc()),
    edit: (at, patches) => {
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

if ([...end].length !== end.length || trace.txns.some(txn => txn.patches.some(([, , text]) => /[\ud800-\udbff]/.test(text)))) {
  refuse('the trace has characters outside of the basic plane, where positions would have to be converted')
}
const lib = await library(peer)
if (kind === 'captured') sequential(lib, EDITS_A_CAPTURE, 'captured every 100 edits', '', 'peak memory')
else sequential(lib, 1, 'each edit a commit, 1,000 a batch', 'each a commit: ', 'each a commit: peak memory')
process.stdout.write(JSON.stringify(report))
