import { expect, it } from "vitest";
import { History, monotonicNow } from "./history.ts";

it("a history is told in order of time, from the start of the scenario", () => {
  const history = new History();
  const start = monotonicNow();
  history.add({ at: start + 5, lane: "handler", what: "second" });
  history.add({ at: start + 2, lane: "caller", what: "first" });
  expect(history.since(start).map(({ what, at }) => [what, Math.round(at)])).toEqual([
    ["first", 2],
    ["second", 5],
  ]);
});

it("a long history keeps its beginning and its end and says how much is missing", () => {
  const history = new History();
  for (let n = 1; n <= 5_000; n++) history.add({ at: n, lane: "wire", what: `${n}` });
  const told = history.since(0);
  expect(told.length).toBeLessThan(500);
  expect(told[0]?.what).toBe("1");
  expect(told.at(-1)?.what).toBe("5000");
  expect(told.some(({ what }) => what === "(4600 entries left out)")).toBe(true);
});
