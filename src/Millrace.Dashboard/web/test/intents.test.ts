import assert from "node:assert/strict";
import { test } from "node:test";
import { Intents } from "../src/pure/intents.ts";

function make() {
  let [time, made] = [0, 0];
  const intents = new Intents(() => time, () => `k${++made}`);
  return { intents, pass: (ms: number) => { time += ms; } };
}

const isOpen = (error: unknown) => error === "lost";
const answerKey = (key: string) => Promise.resolve(key);

test("each change has a key of its own", async () => {
  const { intents } = make();
  assert.equal(await intents.send("retry 5", answerKey, isOpen), "k1");
  assert.equal(await intents.send("retry 6", answerKey, isOpen), "k2");
  assert.equal(await intents.send("retry 5", answerKey, isOpen), "k3", "it was answered, so it is meant once more");
});

test("a second click joins the first", async () => {
  const { intents } = make();
  const sent: string[] = [];
  const run = async (key: string) => { sent.push(key); await Promise.resolve(); return key; };
  assert.deepEqual(await Promise.all([intents.send("retry 5", run, isOpen), intents.send("retry 5", run, isOpen)]), ["k1", "k1"]);
  assert.deepEqual(sent, ["k1"]);
});

test("after an answer that was lost it is sent with the same key, until the server has forgotten it", async () => {
  const { intents, pass } = make();
  await assert.rejects(intents.send("retry 5", () => Promise.reject("lost"), isOpen));
  assert.equal(await intents.send("retry 5", answerKey, isOpen), "k1");
  await assert.rejects(intents.send("retry 5", () => Promise.reject("lost"), isOpen));
  pass(10 * 60_000);
  assert.equal(await intents.send("retry 5", answerKey, isOpen), "k3");
});

test("after a refusal the key is a new one", async () => {
  const { intents } = make();
  await assert.rejects(intents.send("retry 5", () => Promise.reject("no"), isOpen));
  assert.equal(await intents.send("retry 5", answerKey, isOpen), "k2");
});

test("what is remembered is bounded", async () => {
  const { intents } = make();
  for (let i = 0; i < 51; i++) await assert.rejects(intents.send(`retry ${i}`, () => Promise.reject("lost"), isOpen));
  assert.equal(await intents.send("retry 50", answerKey, isOpen), "k51");
  assert.equal(await intents.send("retry 0", answerKey, isOpen), "k52");
});
