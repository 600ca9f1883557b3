import { describe, expect, it } from "vitest";
import { type Effect, historyProblems, type Operation, orderProblems, type Promised } from "./history.ts";

const operation = (result: Operation["result"], promised: Promised = "once", answer?: number): Operation => ({
  id: 1,
  promised,
  from: 10,
  to: 20,
  result,
  answer,
});

const effect = (number: number, at = 15, life = "a"): Effect => ({ number, id: 1, life, at });

describe("a history holds", () => {
  it.each<[string, Operation, readonly Effect[]]>([
    ["what succeeded had its effect", operation("ok"), [effect(1)]],
    ["what failed had none", operation("fail"), []],
    ["what is unknown had none", operation("unknown"), []],
    ["what was taken without an answer had it later", operation("ok"), [effect(1, 21)]],
    ["what is unknown had one, late", operation("unknown"), [effect(1, 99)]],
    ["what was only handed over had none", operation("ok", "at-most-once"), []],
    ["each life had it once", operation("ok", "once-a-life", 2), [effect(1, 12, "a"), effect(2, 15, "b")]],
    ["the answer is of its own effect", operation("ok", "once", 7), [effect(7)]],
  ])("when %s", (_, one, effects) => {
    expect(historyProblems([one], effects)).toEqual([]);
  });
});

describe("a history does not hold", () => {
  it.each<[string, Operation, readonly Effect[], RegExp]>([
    ["what succeeded had no effect", operation("ok"), [], /did not run/],
    ["what failed had one", operation("fail"), [effect(1)], /not-sent, and ran/],
    ["what failed had one later", operation("fail", "at-most-once"), [effect(1, 99)], /not-sent, and ran/],
    ["what is to be had once was had twice", operation("unknown"), [effect(1), effect(2, 16, "b")], /ran 2 times/],
    ["what was handed over was had twice", operation("ok", "at-most-once"), [effect(1), effect(2)], /ran 2 times/],
    ["one life had it twice", operation("unknown", "once-a-life"), [effect(1), effect(2)], /2 times in a/],
    ["the effect came before the call", operation("ok"), [effect(1, 9)], /before it was asked/],
    ["the answer is of another effect", operation("ok", "once", 8), [effect(7)], /none of its own/],
    [
      "the effect of the answer came after it",
      operation("ok", "once-a-life", 2),
      [effect(1), effect(2, 30, "b")],
      /none of its own/,
    ],
    ["nobody asked", { ...operation("ok"), id: 2, promised: "at-most-once" }, [effect(1)], /nobody asked/],
  ])("when %s", (_, one, effects, problem) => {
    expect(historyProblems([one], effects).join("\n")).toMatch(problem);
  });
});

describe("the order in which operations are begun", () => {
  it("is that in which they were asked for", () => {
    const asked = [
      { id: 1, from: 11 },
      { id: 2, from: 10 },
    ];
    expect(orderProblems(asked, [2, 1, 2])).toEqual([]);
    expect(orderProblems(asked, [1, 2])).toEqual(["1 was begun before 2, which was asked for first"]);
  });

  it("does not matter where two were asked for at once, or one was never begun", () => {
    const first = { id: 1, from: 10 };
    expect(orderProblems([first, { id: 2, from: 10 }], [2, 1])).toEqual([]);
    expect(orderProblems([first, { id: 2, from: 11 }], [2])).toEqual([]);
  });
});
