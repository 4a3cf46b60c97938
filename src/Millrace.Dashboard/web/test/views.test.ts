import assert from "node:assert/strict";
import { test } from "node:test";
import { longestName, most, nameOf, put, read, remove, rename, type View } from "../src/pure/views.ts";

const full = Array.from({ length: most }, (_, i): View => ({ name: `view ${i}`, q: "state:failed" }));

test("a name is one line of 1 to 40 characters", () => {
  assert.equal(nameOf("  two\n words\t"), "two words");
  assert.equal(nameOf("x".repeat(longestName)), "x".repeat(40));
  for (const none of ["", "  ", "x".repeat(41)]) assert.equal(nameOf(none), undefined);
});

test("views are kept by name, in the order of their names", () => {
  const two = put(put([], "b", "state:failed") ?? [], "a", "queue:mail") ?? [];
  assert.deepEqual(two, [{ name: "a", q: "queue:mail" }, { name: "b", q: "state:failed" }]);
  assert.deepEqual(put(two, "b", "tag:x"), [{ name: "a", q: "queue:mail" }, { name: "b", q: "tag:x" }]);
  assert.deepEqual(rename(two, "a", "c"), [{ name: "b", q: "state:failed" }, { name: "c", q: "queue:mail" }]);
  assert.equal(rename(two, "a", "b"), undefined, "the name is another one's");
  assert.deepEqual(rename(two, "a", "a"), two);
  assert.deepEqual(remove(two, "a"), [{ name: "b", q: "state:failed" }]);
});

test("there is room for 20", () => {
  assert.equal(put(full, "one more", "state:failed"), undefined);
  assert.equal(put(full, "view 3", "queue:mail")?.length, 20);
  assert.equal(read(JSON.stringify([...full, { name: "one more", q: "x" }])).length, 20);
});

test("what storage holds is taken only where it is a view", () => {
  for (const text of [null, "", "{", "null", "5", "{}", '"x"', "[null,5,[],{}]"]) assert.deepEqual(read(text), []);
  const wrong = [{ name: 5, q: "x" }, { name: "a" }, { name: "", q: "x" }, { name: " a", q: "x" }, { name: "x".repeat(41), q: "x" }, { name: "a", q: "" }, { name: "a", q: "x".repeat(201) }, { name: "a", q: {} }];
  assert.deepEqual(read(JSON.stringify([...wrong, { name: "good", q: "x", more: 1 }])), [{ name: "good", q: "x" }]);
  assert.deepEqual(read('[{"name":"__proto__","q":"x"},{"name":"constructor","q":"y"}]').length, 2);
});
