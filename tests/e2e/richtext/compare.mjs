// Compares what the engine makes of random Deltas with what quill-delta does.
//
//     node compare.mjs EVALUATOR MODULES [COUNT]
//
// EVALUATOR is delta_eval, MODULES a folder with node_modules/quill-delta. $GOAT_SEED repeats a run. Exit 1: they differ; the
// first differences are printed.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { makeRandom } from "../filters/generate.mjs";

const [evaluator, modules, countText = "20000"] = process.argv.slice(2);
const Delta = createRequire(join(resolve(modules), "package.json"))("quill-delta");
const seed = Number(process.env.GOAT_SEED ?? Date.now() % 1000000);
const random = makeRandom(seed);
const DIFFERENCES_MAX = 5;

// ---- making them ----

const TEXTS = ["a", "bc", "word ", "\n", "one\ntwo\n", "é", "🐐", "x🐐y", "👩‍👩‍👧", "ß\u0301", "\u0000", "\uFFFC", " "];
const EMBEDS = [{ image: "goat.png" }, { formula: "e=mc²" }, { hr: true }, { mention: { id: 7, name: "Ada" } }];
const VALUES = { bold: [true], italic: [true, false], color: ["red", "#0f0"], header: [1, 2], link: ["https://a.example"],
  list: ["ordered", { kind: "bullet" }], comment: [[1, 2], 0.5] };

function attributes(withNulls) {
  const made = {};
  for (let i = random.below(4); i > 0; i--) {
    const name = random.pick(Object.keys(VALUES));
    made[name] = withNulls && random.chance(3) ? null : random.pick(VALUES[name]);
  }
  return Object.keys(made).length > 0 ? made : undefined;
}

const content = () => (random.chance(4) ? random.pick(EMBEDS) : random.pick(TEXTS));

function document() {
  const made = new Delta();
  for (let i = random.below(8); i > 0; i--) made.insert(content(), attributes(false));
  return made;
}

// How long each element of a document is, in UTF-16 units: positions between them are where a Delta may stop.
const lengths = (delta) => delta.ops.flatMap((op) => (typeof op.insert === "string" ? [...op.insert].map((c) => c.length) : [1]));

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function delta(of) {
  const made = new Delta();
  let rest = lengths(of);
  while (rest.length > 0 && !random.chance(6)) {
    const count = Math.min(rest.length, 1 + random.below(random.chance(3) ? 12 : 3));
    const units = sum(rest.slice(0, count));
    rest = rest.slice(count);
    if (random.chance(3)) made.insert(content(), attributes(random.chance(3)));
    if (random.chance(4)) made.delete(units);
    else made.retain(units, random.chance(2) ? attributes(true) : undefined);
  }
  if (random.chance(3)) made.insert(content(), attributes(false));
  return made;
}

// ---- comparing ----

// A document's one form: neighbours are one insertion where they can be, and of what is inserted with an attribute that is null
// nothing is left, where quill-delta keeps the null.
function normal(of) {
  const made = new Delta();
  for (const { insert, attributes = {} } of of.ops) {
    const given = Object.entries(attributes).filter(([, value]) => value !== null);
    made.insert(insert, given.length > 0 ? Object.fromEntries(given) : undefined);
  }
  return made.ops;
}

const cases = [];
for (let i = 0; i < Number(countText); i++) {
  const before = document();
  const first = delta(before);
  const between = before.compose(first);
  const second = delta(between);
  const composed = before.compose(first.compose(second));
  const after = between.compose(second);
  if (!isDeepStrictEqual(normal(after), normal(composed))) throw new Error(`quill-delta differs from itself, seed ${seed}`);
  cases.push({ document: normal(before), deltas: [first.ops, random.chance(2) ? { ops: second.ops } : second.ops], after });
}

// And what leaves a document: behind its end, or half a pair of surrogates.
const refused = [];
for (let i = 0; i < 200; i++) {
  const before = new Delta().insert("🐐").concat(document());
  const total = before.length();
  const wrong = random.pick([
    new Delta().retain(1).insert("x"), new Delta().delete(1), new Delta().retain(1, { bold: true }),
    new Delta().delete(total + 1), new Delta().retain(total).delete(1), new Delta().retain(total + 1, { bold: true }),
  ]);
  refused.push({ document: normal(before), deltas: [wrong.ops, []] });
}

const lines = [...cases, ...refused].map(({ document, deltas }) => JSON.stringify({ document, deltas }));
const run = spawnSync(evaluator, { input: lines.join("\n") + "\n", maxBuffer: 2 ** 30, encoding: "utf8" });
if (run.status !== 0) throw new Error(`${evaluator} ended with ${run.status ?? run.error}`);
const answers = run.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
if (answers.length !== lines.length) throw new Error(`${answers.length} answers to ${lines.length} lines`);

let differences = 0;
function differ(number, what, expected, was) {
  if (++differences > DIFFERENCES_MAX) return;
  console.log(`${lines[number]}\n  ${what}: expected ${JSON.stringify(expected)}\n  was ${JSON.stringify(was)}`);
}

cases.forEach(({ after }, number) => {
  const expected = normal(after);
  const [applied, together] = Array.isArray(answers[number]) ? answers[number] : [answers[number], answers[number]];
  if (!isDeepStrictEqual(applied, expected)) differ(number, "one after the other", expected, applied);
  if (!isDeepStrictEqual(together, expected)) differ(number, "put together", expected, together);
});
refused.forEach((_, i) => {
  if (answers[cases.length + i].error === undefined) differ(cases.length + i, "taken", "an error", answers[cases.length + i]);
});
console.log(`seed ${seed}: ${cases.length} pairs of Deltas, ${refused.length} refused, ${differences} differences`);
process.exit(differences > 0 ? 1 : 0);
