// Random filters and sorts with values of real documents. What is left out, because the other evaluator differs there
// from MongoDB's documentation, is marked "left out" with the number that it has in core/query/README.md.

// `through`: the path leads through an array. `array`: arrays of texts or numbers stand at its end. `set`: a set.
const FIELDS = [
  ...["name", "version", "section", "priority", "arch", "homepage", "source", "description"].map((path) => ({ path })),
  ...["size", "installed_kib", "when", "mixed", "varied", "meta", "meta.section", "meta.arch", "meta.size"].map(
    (path) => ({ path }),
  ),
  ...["meta.size.installed", "meta.size.download", "meta.nothing", "nothing", "nothing.at.all", "name.x"].map(
    (path) => ({ path }),
  ),
  { path: "depends", array: true },
  { path: "digits", array: true },
  { path: "tags", array: true, set: true },
  { path: "needs" },
  ...["depends.0", "depends.3", "digits.1", "needs.0", "needs.0.name", "needs.2.version", "needs.1.others"].map(
    (path) => ({ path }),
  ),
  ...["needs.name", "needs.relation", "needs.version", "depends.x"].map((path) => ({ path, through: true })),
  { path: "needs.others", through: true, array: true },
];

// All of one kind or missing: arrays, and null beside missing, are sorted differently. Left out: 7.
const SORT_FIELDS = ["name", "version", "section", "priority", "arch", "homepage", "source", "size", "installed_kib",
  "when", "varied", "meta.section", "meta.size.installed", "nothing"];

// mulberry32: small, and the same on every machine.
export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit) => next() % limit;
  return { below, pick: (list) => list[below(list.length)], chance: (n) => below(n) === 0 };
}

const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);

// Some value at the end of the path: of an array on the way any element, of one at the end sometimes.
function valueAt(random, document, path) {
  let value = document;
  for (const name of path.split(".")) {
    if (Array.isArray(value) && !/^\d+$/.test(name)) value = random.pick(value);
    if (value === undefined || value === null) return undefined;
    value = value[name];
  }
  return Array.isArray(value) && value.length > 0 && !random.chance(4) ? random.pick(value) : value;
}

const STRAY = [null, 0, -1, 1.5, 7, "", "a", "lib", true, false, [], ["a"], {}, { a: 1 }, new Date(0),
  new Date(Date.UTC(2000, 0, 5))];

// Something near a real value, so that comparisons fall on both sides of it.
function vary(random, value) {
  if (typeof value === "number") return random.pick([value, value, value + 1, value - 1, value / 2]);
  if (value instanceof Date) return random.pick([value, value, new Date(+value + 1), new Date(+value - 1)]);
  if (typeof value === "string" && value.length > 0) {
    return random.pick([value, value, value, value.slice(0, random.below(value.length)), `${value}a`]);
  }
  return value;
}

// An operand that `fits`.
function operand(random, documents, field, fits) {
  for (let attempt = 0; attempt < 12; attempt++) {
    const stray = random.chance(8);
    const value = stray ? random.pick(STRAY) : vary(random, valueAt(random, random.pick(documents), field.path));
    if (value !== undefined && fits(value)) return value;
  }
  return random.pick(["x", 5]);
}

const isScalar = (value) => value !== null && !Array.isArray(value) && !isMap(value);

// Left out: 1 null, 2 whole arrays, both on a path through an array; 3 whole arrays against a set.
const fitsEqual = (field) => (value) =>
  !(field.through && (value === null || Array.isArray(value))) && !(field.set && Array.isArray(value));

// Left out: 4 arrays in a list.
const fitsList = (field) => (value) => fitsEqual(field)(value) && !Array.isArray(value);

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const ascii = (text) => /^[\x20-\x7e]+$/.test(text);

function textPart(random, documents, field) {
  const value = operand(random, documents, field, (one) => typeof one === "string" && ascii(one));
  const text = typeof value === "string" ? value : "lib";
  const begin = random.chance(3) ? 0 : random.below(text.length);
  return text.slice(begin, begin + 1 + random.below(8));
}

// What PCRE2 and JavaScript agree on, over texts of one line.
function pattern(random, documents, field) {
  const part = escape(textPart(random, documents, field));
  const other = escape(textPart(random, documents, field));
  const source = random.pick([part, `^${part}`, `${part}$`, `^${part}.*${other}`, `(${part}|${other})`, `[${
    random.pick(["a-m", "0-9", "^a-z", "A-Z_"])}]${part}`, `${part}[^ ]+$`, `^(?:${part}|.{3})`, `\\d+.${part}`,
    `^\\w+(?=${part})`, `(${part})?${other}{1,2}$`]);
  const letters = random.pick(["", "", "i", "m", "s", "is", "im"]);
  return letters === "" && random.chance(2) ? { $regex: source } : { $regex: source, $options: letters };
}

function condition(random, documents, field, depth) {
  const nested = field.through && field.array;
  const choice = random.below(nested ? 8 : 15);
  switch (choice) {
    case 0: return { $eq: operand(random, documents, field, fitsEqual(field)) };
    case 1: return { $ne: operand(random, documents, field, fitsEqual(field)) };
    case 2: return { $exists: random.chance(2) };
    case 3: return pattern(random, documents, field);
    case 4: return { $contains: textPart(random, documents, field) };
    case 5: return { $startsWith: textPart(random, documents, field) };
    case 6: return depth > 0 ? { $not: conditions(random, documents, field, depth - 1) } : { $exists: true };
    case 7: return { $not: pattern(random, documents, field) };
    // From here on not into arrays that lie in arrays. Left out: 5.
    case 8:
    case 9: {
      const list = Array.from({ length: random.below(5) }, () => operand(random, documents, field, fitsList(field)));
      return choice === 8 ? { $in: list } : { $nin: list };
    }
    case 10: // an element that is not a text
      if (!field.array || field.through) return { $exists: true };
      return { $contains: operand(random, documents, field, (one) => typeof one !== "string" && isScalar(one)) };
    default: // left out: 6, maps, arrays and null
      return { [random.pick(["$gt", "$gte", "$lt", "$lte"])]: operand(random, documents, field, isScalar) };
  }
}

function conditions(random, documents, field, depth) {
  let all = condition(random, documents, field, depth);
  while (random.chance(4)) {
    const more = condition(random, documents, field, depth);
    const both = [all, more].filter((one) => "$regex" in one);
    if (both.length < 2) all = { ...all, ...more };
  }
  return all;
}

export function makeFilter(random, documents, depth = 3) {
  const filter = {};
  for (let i = random.chance(3) ? 2 : 1; i > 0; i--) {
    if (depth > 0 && random.chance(3)) {
      const list = Array.from({ length: 1 + random.below(3) }, () => makeFilter(random, documents, depth - 1));
      filter[random.pick(["$and", "$or", "$nor"])] = list;
    } else {
      const field = random.pick(FIELDS);
      const value = operand(random, documents, field, (one) => fitsEqual(field)(one) && !(isMap(one) && "$" in one));
      filter[field.path] = random.chance(5) ? value : conditions(random, documents, field, depth);
    }
  }
  return filter;
}

export function makeAsk(random, documents) {
  const ask = { where: makeFilter(random, documents) };
  if (!random.chance(5)) return ask;
  const fields = Array.from({ length: 1 + random.below(3) }, () => random.pick(SORT_FIELDS));
  ask.sort = [...new Set(fields)].map((field) => (random.chance(2) ? `-${field}` : field));
  if (random.chance(3)) ask.offset = random.below(20);
  if (random.chance(3)) ask.limit = random.below(50);
  return ask;
}
