// The Debian documents, with maps, arrays of maps, dates and a field of many kinds made from what they hold: as the
// other evaluator has them, and as JSON for the engine ({"$date": …}, {"$set": […]}).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

// "libc6 (>= 2.34) | musl" → {name: "libc6", relation: ">=", version: "2.34", others: ["musl"]}
function need(text) {
  const [first, ...others] = text.split("|").map((one) => one.trim());
  const [, name, relation, version] = /^(\S+)(?: \((\S+) (.*)\))?$/.exec(first) ?? [null, first];
  const result = { name };
  if (relation !== undefined) Object.assign(result, { relation, version });
  if (others.length > 0) result.others = others;
  return result;
}

// A value of another kind in each document; `plain` leaves out what the two sort differently.
function anyKind(document, number, plain) {
  const { name, size, installed_kib: installed } = document;
  switch (number % (plain ? 6 : 10)) {
    case 0: return name;
    case 1: return size;
    case 2: return installed % 2 === 0;
    case 3: return undefined;
    case 4: return new Date(size * 1000);
    case 5: return size / 8;
    case 6: return null;
    case 7: return { size, section: document.section };
    case 8: return [name, installed, null, true];
    default: return [];
  }
}

export function readDocuments(path) {
  const lines = gunzipSync(readFileSync(path)).toString("utf8").split("\n").filter((line) => line !== "");
  return lines.map((line, number) => {
    const document = JSON.parse(line);
    const { size, installed_kib: installed, section, arch, depends } = document;
    document.meta = { section, arch, size: { download: size, installed } };
    document.digits = [size % 10, installed % 10, size % 7];
    document.when = new Date(Date.UTC(2000, 0, 1) + size * 1000 + (installed % 3));
    if (depends !== undefined) document.needs = depends.map(need);
    for (const [field, plain] of [["mixed", false], ["varied", true]]) {
      const value = anyKind(document, number, plain);
      if (value !== undefined) document[field] = value;
    }
    return document;
  });
}

// JSON for the engine.
export function engineJson(value) {
  if (value instanceof Date) return `{"$date":${JSON.stringify(value.toISOString())}}`;
  if (Array.isArray(value)) return `[${value.map(engineJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).map((key) => `${JSON.stringify(key)}:${engineJson(value[key])}`).join(",")}}`;
}

// A document: its tags are a set.
export function engineDocument(document) {
  const { tags, ...rest } = document;
  const json = engineJson(rest);
  return tags === undefined ? json : `${json.slice(0, -1)},"tags":{"$set":${engineJson(tags)}}}`;
}
