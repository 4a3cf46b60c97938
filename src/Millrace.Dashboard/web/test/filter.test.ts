import assert from "node:assert/strict";
import { test } from "node:test";
import type { FilterWords } from "../src/api/types.ts";
import { accept, complete, quote, statesIn, term, termAt, terms, withState, withTerm } from "../src/pure/filter.ts";

const words: FilterWords = {
  fields: [
    { name: "state", kind: "state", hint: "where it stands" }, { name: "type", kind: "text", hint: "its type" }, { name: "tag", kind: "text", hint: "its tag" },
    { name: "finished", kind: "time", hint: "when it ended" }, { name: "data", kind: "data", hint: "a member" }, { name: "queue", kind: "text", hint: "its queue" },
  ],
  states: ["ready", "retrying", "running"], types: ["indexFile", "sendReceipt", "two words"], queues: ["mail", "index"], schedules: [], workers: ["w-1"],
};
const at = (text: string) => {
  const cursor = text.indexOf("|");
  return { text: text.replace("|", ""), cursor };
};
const labels = (text: string) => { const { text: whole, cursor } = at(text); return complete(whole, cursor, words).map(c => c.label); };
const taken = (text: string, which = 0) => {
  const { text: whole, cursor } = at(text);
  const completion = complete(whole, cursor, words)[which];
  assert.ok(completion, text);
  const next = accept(whole, completion);
  return `${next.text.slice(0, next.cursor)}|${next.text.slice(next.cursor)}`;
};

test("terms are cut at spaces outside quotes", () => {
  const text = `state:ready tag:"a b" -error~"say \\"no\\" now"`;
  assert.deepEqual(terms(text).map(t => text.slice(t.start, t.end)), ["state:ready", `tag:"a b"`, `-error~"say \\"no\\" now"`]);
});

test("the term under the cursor is told apart into field, operator and value", () => {
  const found = termAt("state:ready -type:in", 20);
  assert.deepEqual([found.isNot, found.field, found.operator, found.value], [true, "type", ":", "in"]);
});

test("an empty box offers the fields, times with a comparison and data with a member", () => {
  assert.deepEqual(labels("|"), ["state:", "type:", "tag:", "finished>", "data.", "queue:"]);
});

test("a beginning offers fields and whole terms", () => {
  assert.deepEqual(labels("re|"), ["state:ready", "state:retrying", "type:sendReceipt"]);
  assert.deepEqual(labels("ta|"), ["tag:"]);
});

test("values of a field are offered, those that begin so first", () => {
  assert.deepEqual(labels("state:r|"), ["ready", "retrying", "running"]);
  assert.deepEqual(labels("type:i|"), ["indexFile", "sendReceipt"]);
  assert.deepEqual(labels("finished>|"), ["-15m", "-1h", "-6h", "-24h", "-7d"]);
});

test("what follows a comma is a further value", () => {
  assert.equal(taken("state:ready,run|"), "state:ready,running |");
});

test("a completion replaces the term and nothing else", () => {
  assert.equal(taken("tag:x ty| state:ready"), "tag:x type:| state:ready");
  assert.equal(taken("-type:ind| queue:mail"), "-type:indexFile |queue:mail");
});

test("values with spaces are quoted", () => {
  assert.equal(taken("type:two|"), `type:"two words" |`);
  assert.equal(quote(`say "no"`), `"say \\"no\\""`);
  assert.equal(term("tag", "a,b"), `tag:"a,b"`);
});

test("a state takes the place of the one before", () => {
  assert.equal(withState("state:failed type:x", "ready"), "state:ready type:x");
  assert.equal(withState(`tag:"a b" state:failed`, undefined), `tag:"a b"`);
  assert.deepEqual(statesIn("type:x state:ready,running"), ["ready", "running"]);
  assert.equal(withTerm("type:x", "type:x"), "type:x");
});

test("without words nothing is offered", () => {
  assert.deepEqual(complete("st", 2, undefined), []);
});
