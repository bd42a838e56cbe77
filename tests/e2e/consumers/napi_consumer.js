// Uses the addon of napi_consumer.c (its path is the first argument): a schema, items, a query, a flush, and all
// of it again after reopening.
'use strict';
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');

const goat = require(path.resolve(process.argv[2]));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'goat-napi-'));
const schema = {
  ns: 'goat',
  version: 1,
  fields: { name: { type: 'string', required: true }, born: { type: 'date' }, fed: { type: 'boolean', default: false } },
};
const herd = { Heidi: '2020-05-01T00:00:00Z', Änne: '2019-01-31T12:00:00.5Z', Bert: '2021-12-24T18:00:00Z' };

function open() {
  const db = goat.openDb(folder);
  goat.addSchema(db, JSON.stringify(schema));
  return { db, repo: goat.openRepo(db, '/data/herd') };
}

function close({ db, repo }) {
  goat.freeRepo(repo);
  goat.freeDb(db);
}

function byAge(repo) {
  const rows = goat.query(repo, JSON.stringify({ sort: ['born'], fields: ['name'] }));
  return rows.trimEnd().split('\n').map((line) => JSON.parse(line).name);
}

try {
  let farm = open();
  for (const [name, born] of Object.entries(herd)) {
    const item = goat.create(farm.db, `/data/herd/${name}`, 'goat');
    goat.set(item, 'name', JSON.stringify(name));
    goat.set(item, 'born', JSON.stringify(born));
    goat.freeItem(item);
  }
  assert.deepStrictEqual(byAge(farm.repo), ['Änne', 'Heidi', 'Bert']);
  goat.flush(farm.db);
  assert.throws(() => goat.openItem(farm.db, '/data/herd/Zoe'), { code: 'GOAT_NOT_FOUND', message: /no such item/ });
  assert.throws(() => goat.openItem(undefined, '/data/herd/Zoe'), { code: 'GOAT_MISUSE' });
  close(farm);

  farm = open();
  assert.deepStrictEqual(byAge(farm.repo), ['Änne', 'Heidi', 'Bert']);
  const item = goat.openItem(farm.db, '/data/herd/Änne');
  assert.deepStrictEqual(JSON.parse(goat.read(item)), { name: 'Änne', born: '2019-01-31T12:00:00.500Z', fed: false });
  goat.freeItem(item);
  close(farm);
  assert.strictEqual(goat.live(), 0);
} finally {
  fs.rmSync(folder, { recursive: true });
}
console.log('napi: three goats, written, queried, reopened and read');
