// What a page's script does, in Node: loads libgoat.wasm (GOAT_WASM) without any glue, gives it a storage that
// lives in this process's memory, and makes a schema, items, a query, a flush, and all of it again after reopening.
import assert from 'node:assert';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

const OK = 0, NOT_FOUND = 1, EXISTS = 2, CREATE = 1;
const utf8 = new TextEncoder(), words = new TextDecoder();
let goat;

const memory = (at, len) => new Uint8Array(goat.memory.buffer, at, len); // anew each time: it may have grown
const word = (at) => new DataView(goat.memory.buffer).getUint32(at, true);

// ---- The storage: files by name, all requests answered at once ------------------------------------
const files = new Map(), open = new Map();
let lastFile = 0;

function perform(kind, flags, file, name, data, offset, length) {
  const bytes = kind >= 7 && kind <= 10 ? open.get(file).bytes : files.get(name)?.bytes;
  switch (kind) {
    case 2: { // LIST
      const under = name === '' ? '' : name + '/';
      const names = [...files.keys()].filter((key) => key.startsWith(under)).sort();
      return { data: utf8.encode(names.map((key) => key + '\0').join('')) };
    }
    case 3: return bytes ? { data: bytes } : { status: NOT_FOUND }; // READ
    case 4: // REPLACE
      if (bytes && flags & CREATE) return { status: EXISTS };
      files.set(name, { bytes: data });
      return {};
    case 5: return files.delete(name) ? {} : { status: NOT_FOUND }; // REMOVE
    case 6: // OPEN
      if (!bytes && !(flags & CREATE)) return { status: NOT_FOUND };
      if (!bytes) files.set(name, { bytes: new Uint8Array() });
      open.set(++lastFile, files.get(name));
      return { file: lastFile, length: files.get(name).bytes.length };
    case 7: { // LOAD
      const loaded = bytes.slice(offset, offset + length);
      return { data: loaded, length: loaded.length };
    }
    case 8: { // APPEND
      const longer = new Uint8Array(bytes.length + data.length);
      longer.set(bytes);
      longer.set(data, bytes.length);
      open.get(file).bytes = longer;
      return { length: longer.length };
    }
    case 10: open.get(file).bytes = bytes.slice(0, offset); return {}; // TRUNCATE
    default: return {}; // LOCK, SYNC, CLOSE, UNLOCK
  }
}

function submit(storage, kind, flags, token, file, name, nameLen, data, dataLen, offset, length) {
  const text = words.decode(memory(name, nameLen)), bytes = memory(data, dataLen).slice();
  const { status = OK, file: made = 0, length: len = 0, data: result } =
    perform(kind, flags, file, text, bytes, offset, length);
  const place = goat.goat_wasm_complete(storage, token, status, made, len, result?.length ?? 0);
  if (place !== 0) memory(place, result.length).set(result);
  return OK;
}

const env = {
  gt_wasm_open: () => OK,
  gt_wasm_submit: submit,
  gt_wasm_close: () => {},
  gt_wasm_monotonic_us: () => performance.now() * 1000,
  gt_wasm_wall_ms: () => Date.now(),
  gt_wasm_random: (at, len) => (webcrypto.getRandomValues(memory(at, len)), 1),
  emscripten_notify_memory_growth: () => {},
};
const wasi = { // what the C library may ask for; the time is for jansson's hash seed
  clock_time_get: (id, precision, at) => (new DataView(goat.memory.buffer).setBigUint64(at, BigInt(Date.now()), true), 0),
  fd_write: () => 8, fd_close: () => 8, fd_seek: () => 8, proc_exit: (code) => { throw new Error(`exit ${code}`); },
};
const wasm = await WebAssembly.instantiate(readFileSync(process.env.GOAT_WASM), { env, wasi_snapshot_preview1: wasi });
goat = wasm.instance.exports;
goat._initialize?.();

// ---- Calls: strings as pointer and length, handles and buffers through one scratch place -----------
const out = goat.goat_alloc(16), error = goat.goat_alloc(4), buf = goat.goat_alloc(12);
memory(buf, 12).fill(0);

function cString(at) {
  const all = new Uint8Array(goat.memory.buffer);
  return words.decode(all.subarray(at, all.indexOf(0, at)));
}

function call(name, ...args) {
  const taken = [];
  const flat = args.flatMap((arg) => {
    if (typeof arg !== 'string') return [arg];
    const bytes = utf8.encode(arg), at = goat.goat_alloc(bytes.length);
    memory(at, bytes.length).set(bytes);
    taken.push(at);
    return [at, bytes.length];
  });
  const status = goat[name](...flat, error);
  taken.forEach((at) => goat.goat_free(at));
  if (status === OK) return word(out);
  const failure = new Error(`${name}: ${cString(goat.goat_error_message(word(error)))}`);
  failure.code = cString(goat.goat_status_name(status));
  goat.goat_error_free(word(error));
  throw failure;
}
const text = () => words.decode(memory(word(buf), word(buf + 4)));

// ---- The goats -----------------------------------------------------------------------------------
const schema = JSON.stringify({ ns: 'goat', version: 1, fields: { name: { type: 'string' }, milk: { type: 'number' } } });
const herd = { Heidi: 3, Änne: 1.5, Bert: 0 };

function openFarm() {
  const db = call('goat_db_open', 'farm', 0, out, 0);
  call('goat_db_add_schema', db, schema);
  return { db, repo: call('goat_repo_open', db, '/data/herd', 0, out, 0) };
}

function closeFarm({ db, repo }) {
  goat.goat_repo_free(repo);
  goat.goat_db_free(db);
}

function byMilk(repo) {
  const query = call('goat_query_open', repo, 0, JSON.stringify({ sort: ['-milk'], fields: ['name'] }), out, 0);
  call('goat_query_rows_json', query, 0, -1, buf);
  goat.goat_query_free(query);
  return text().trimEnd().split('\n').map((line) => JSON.parse(line).name);
}

let farm = openFarm();
for (const [name, milk] of Object.entries(herd)) {
  const item = call('goat_item_create', farm.db, 0, `/data/herd/${name}`, 'goat', 0, 0, out);
  call('goat_item_set_text', item, 'name', name);
  call('goat_item_set_number', item, 'milk', milk);
  goat.goat_item_free(item);
}
assert.deepStrictEqual(byMilk(farm.repo), ['Heidi', 'Änne', 'Bert']);
call('goat_db_flush', farm.db, 2, 0);
assert.throws(() => call('goat_item_open', farm.db, 0, '/data/herd/Zoe', out), { code: 'GOAT_NOT_FOUND' });
closeFarm(farm);

farm = openFarm();
assert.deepStrictEqual(byMilk(farm.repo), ['Heidi', 'Änne', 'Bert']);
const item = call('goat_item_open', farm.db, 0, '/data/herd/Änne', out);
call('goat_item_read_json', item, buf, 0);
assert.deepStrictEqual(JSON.parse(text()), { name: 'Änne', milk: 1.5 });
goat.goat_item_free(item);
closeFarm(farm);
goat.goat_buf_free(buf);
assert.strictEqual(goat.goat_debug_live_handles(), 0);
console.log('wasm: three goats, written, queried, reopened and read');
