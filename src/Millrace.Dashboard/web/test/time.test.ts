import assert from "node:assert/strict";
import { test } from "node:test";
import { absolute, brief, clock, duration, isoIn, parseDuration, relative } from "../src/pure/time.ts";

const now = Date.parse("2026-11-25T13:00:00Z");

test("durations have at most two units", () => {
  const told = [0, 0.4, 12, 999.7, 1_400, 3_000, 39_000, 59_700, 760_000, 11_100_000, 360_000_000, 90 * 86_400_000].map(duration);
  assert.deepEqual(told, ["0 ms", "<1 ms", "12 ms", "1 s", "1.4 s", "3 s", "39 s", "1 min", "12 min 40 s", "3 h 5 min", "4 d 4 h", "90 d"]);
});

test("a duration below zero keeps its sign, and none is infinite", () => {
  assert.equal(duration(-5_000), "−5 s");
  assert.equal(duration(Infinity), "∞");
});

test("brief durations have one unit", () => {
  assert.deepEqual([300, 40_000, 3_599_000, 90_000_000, 400_000_000].map(brief), ["300ms", "40s", "59m", "25h", "4d"]);
});

test("relative times look both ways", () => {
  assert.equal(relative("2026-11-25T12:57:00Z", now), "3m ago");
  assert.equal(relative("2026-11-25T15:00:00Z", now), "in 2h");
  assert.equal(relative("2026-11-25T13:00:01Z", now), "now");
  assert.equal(relative("never", now), "never");
});

test("absolute times are as long as they must be", () => {
  assert.equal(absolute("2026-11-25T08:01:02Z", "utc", now), "08:01:02");
  assert.match(absolute("2026-11-24T08:01:02Z", "utc", now), /24.*08:01|Nov.*08:01/);
  assert.equal(absolute("2024-02-01T08:01:02Z", "utc", now), "2024-02-01 08:01");
  assert.equal(absolute("nonsense", "utc", now), "nonsense");
});

test("the exact time is ISO-8601 in the zone that is shown", () => {
  assert.equal(isoIn("2026-11-25T13:00:00.123456Z", "utc"), "2026-11-25T13:00:00.123Z");
  assert.match(isoIn("2026-11-25T13:00:00Z", "local"), /^2026-11-2\dT\d\d:00:00\.000[+-]\d\d:\d\d$/);
});

test("lines of a log have milliseconds", () => {
  assert.equal(clock("2026-11-25T13:00:00.007Z", "utc"), "13:00:00.007");
});

test("typed durations are read, others are not", () => {
  assert.deepEqual(["90s", "10m", "1.5h", "2d", "", "ten", "-5m", "5"].map(parseDuration), [90_000, 600_000, 5_400_000, 172_800_000, undefined, undefined, undefined, undefined]);
});
