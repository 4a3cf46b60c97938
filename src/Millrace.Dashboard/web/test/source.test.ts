import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = `${process.cwd()}/src/`;
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(name => /\.(ts|tsx|css)$/.test(name));
const source = (name: string) => readFileSync(root + name, "utf8");

test("text of jobs is never markup and never code", () => {
  for (const name of files) {
    assert.doesNotMatch(source(name), /[iI]nnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|createContextualFragment/, name);
  }
});

test("every address is relative to the mount", () => {
  for (const name of files.filter(n => !n.endsWith(".css"))) {
    assert.doesNotMatch(source(name), /(href|src|fetch\(|EventSource\()[=({"'`\s]*\/[a-z]/, name);
    assert.doesNotMatch(source(name), /https?:\/\/(?!www\.w3\.org)/, name);
  }
});

test("no style attribute and no inline handler is written as text: the policy would refuse them", () => {
  for (const name of files.filter(n => n.endsWith(".tsx"))) assert.doesNotMatch(source(name), /style="|setAttribute\(["']style/, name);
});

test("one idea per file", () => {
  for (const name of files) assert.ok(source(name).split("\n").length <= 400, name);
});
