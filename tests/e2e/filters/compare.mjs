// Compares the engine's filters with those of mingo over the Debian documents.
//
//     node compare.mjs EVALUATOR DOCUMENTS MODULES [COUNT]
//
// EVALUATOR is filter_eval, MODULES a folder with node_modules/mingo. $GOAT_SEED repeats a run. Exit 1: they differ;
// the first differences are made small and printed.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { engineDocument, engineJson, readDocuments } from "./documents.mjs";
import { makeAsk, makeRandom } from "./generate.mjs";

const [evaluator, documentsPath, modules, countText = "20400"] = process.argv.slice(2);
const { Query } = createRequire(join(resolve(modules), "package.json"))("mingo");

const FILTERS_A_ROUND = 200;
const DOCUMENTS_A_ROUND = 250; // other ones in each round
const DIFFERENCES_MAX = 5;

// ---- mingo ----

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const isPlainMap = (value) => value !== null && typeof value === "object" && value.constructor === Object;

// The conditions of one field; the two operators that MongoDB has not are said in its own, several of the same as
// members of $and.
function translateField(path, conditions, out) {
  if (!isPlainMap(conditions) || !Object.keys(conditions).some((key) => key.startsWith("$"))) {
    out.push({ [path]: conditions });
    return;
  }
  for (const [operator, value] of Object.entries(conditions)) {
    if (operator === "$options") continue;
    if (operator === "$startsWith") {
      out.push({ [path]: { $regex: `^${escape(value)}`, $options: "s" } });
    } else if (operator === "$contains") {
      out.push({ [path]: typeof value === "string" ? { $regex: escape(value) } : { $elemMatch: { $eq: value } } });
    } else if (operator === "$regex") {
      out.push({ [path]: { $regex: value, $options: conditions.$options ?? "" } });
    } else if (operator === "$not") {
      const inner = [];
      translateField(path, value, inner);
      out.push({ $nor: [{ $and: inner }] });
    } else {
      out.push({ [path]: { [operator]: value } });
    }
  }
}

function translate(filter) {
  const out = [];
  for (const [key, value] of Object.entries(filter)) {
    if (key.startsWith("$")) out.push({ [key]: value.map(translate) });
    else translateField(key, value, out);
  }
  return out.length === 0 ? {} : { $and: out };
}

function askMingo(documents, ask) {
  const query = new Query(translate(ask.where));
  if (ask.sort === undefined) {
    return documents.flatMap((document, index) => (query.test(document) ? [index] : []));
  }
  const order = {};
  for (const field of ask.sort) order[field.replace(/^-/, "")] = field.startsWith("-") ? -1 : 1;
  const index = new Map(documents.map((document, i) => [document, i]));
  const matching = documents.filter((document) => query.test(document));
  const sorted = new Query({}).find(matching).sort(order).all();
  const offset = ask.offset ?? 0;
  return sorted.slice(offset, ask.limit === undefined ? undefined : offset + ask.limit).map((one) => index.get(one));
}

// ---- the engine ----

function askEngine(documents, asks) {
  const lines = documents.map((document) => `{"document":${engineDocument(document)}}`);
  for (const ask of asks) lines.push(engineJson(ask));
  const run = spawnSync(evaluator, { input: `${lines.join("\n")}\n`, maxBuffer: 1 << 30, encoding: "utf8" });
  if (run.error !== undefined || run.status !== 0) throw run.error ?? new Error(`${evaluator}: ${run.status} ${run.stderr}`);
  return run.stdout.split("\n").slice(0, asks.length).map((line) => JSON.parse(line));
}

// ---- differences ----

const differs = (documents, ask) =>
  JSON.stringify(askEngine(documents, [ask])[0]) !== JSON.stringify(askMingo(documents, ask));

// Filters with one part less.
function* smaller(filter) {
  const keys = Object.keys(filter);
  for (const key of keys) {
    const { [key]: value, ...rest } = filter;
    if (keys.length > 1 && !(key === "$regex" && "$options" in filter)) yield rest;
    if (Array.isArray(value) && ["$and", "$or", "$nor"].includes(key)) {
      yield* value;
      for (const [i, member] of value.entries()) {
        if (value.length > 1) yield { ...rest, [key]: value.filter((_, k) => k !== i) };
        for (const less of smaller(member)) yield { ...rest, [key]: [...value.slice(0, i), less, ...value.slice(i + 1)] };
      }
    } else if (isPlainMap(value) && Object.keys(value).some((name) => name.startsWith("$"))) {
      if ("$not" in value) yield { [key]: value.$not };
      for (const less of smaller(value)) yield { ...rest, [key]: less };
    }
  }
}

function minimise(documents, ask) {
  let kept = documents;
  let best = ask;
  for (let size = kept.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= kept.length;) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (differs(fewer, best)) kept = fewer;
      else at += size;
    }
  }
  for (let again = true; again;) {
    again = false;
    for (const where of smaller(best.where)) {
      const less = { ...best, where };
      if (differs(kept, less)) {
        best = less;
        again = true;
        break;
      }
    }
  }
  return [kept, best];
}

function report(documents, ask) {
  const [kept, less] = minimise(documents, ask);
  console.error(`they differ on ${engineJson(less)}`);
  for (const document of kept) console.error(`  ${engineDocument(document)}`);
  console.error(`  engine ${JSON.stringify(askEngine(kept, [less])[0])}  mingo ${JSON.stringify(askMingo(kept, less))}`);
}

// ---- all of it ----

function shuffle(random, list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}

const seed = Number(process.env.GOAT_SEED ?? Date.now() % 4294967296);
const random = makeRandom(seed);
console.log(`GOAT_SEED=${seed}, Node ${process.versions.node}`);
const documents = readDocuments(documentsPath);
shuffle(random, documents);
const rounds = Math.ceil(Number(countText) / FILTERS_A_ROUND);
let [asked, sorted, looked, matched, some, differences] = [0, 0, 0, 0, 0, 0];
for (let round = 0; round < rounds && differences < DIFFERENCES_MAX; round++) {
  const from = Math.floor((round * documents.length) / rounds);
  const part = documents.slice(from, from + DOCUMENTS_A_ROUND);
  looked += part.length;
  const asks = Array.from({ length: FILTERS_A_ROUND }, () => makeAsk(random, part));
  for (const [i, found] of askEngine(part, asks).entries()) {
    const expected = askMingo(part, asks[i]);
    asked++;
    sorted += asks[i].sort === undefined ? 0 : 1;
    matched += expected.length;
    some += expected.length > 0 && expected.length < part.length ? 1 : 0;
    if (JSON.stringify(found) === JSON.stringify(expected)) continue;
    if (differences++ < DIFFERENCES_MAX) report(part, asks[i]);
  }
}
console.log(`${asked} filters (${sorted} of them sorted) over ${looked} of ${documents.length} documents, ` +
  `${some} with some but not all, ${matched} matches, ${differences} differences`);
process.exit(differences === 0 ? 0 : 1);
