import { ParleyError } from "@parley/core";
import { expect, it } from "vitest";
import type { Finding, Step } from "./contracts.ts";
import { scatter } from "./scatter.ts";

const never = new AbortController().signal;
const readers = [{ name: "one" }, { name: "two" }];
const finding = (sonnet: number, line: number): Finding => ({ sonnet, line, theme: "love", text: `${sonnet}.${line}` });
const lost = new ParleyError("unavailable", "it is gone", { outcome: "unknown" });

it("what a lost reader was at is read again by another, and what came twice counts once", async () => {
  const steps: Step[] = [];
  const { findings, left } = await scatter({
    readers,
    sonnets: [1, 2, 3],
    async *read({ name }, sonnet) {
      yield finding(sonnet, 1);
      if (name === "one") throw lost;
      yield finding(sonnet, 2);
    },
    tell: (step) => steps.push(step),
    signal: never,
  });
  expect(left).toEqual([{ name: "two" }]);
  expect(findings.map(({ text }) => text).toSorted()).toEqual(["1.1", "1.2", "2.1", "2.2", "3.1", "3.2"]);
  expect(steps.filter(({ step }) => step === "lost")).toEqual([
    { step: "lost", sonnet: 1, by: "one", lines: 1, why: "unavailable, unknown" },
  ]);
  expect(steps.filter((step) => step.step === "read").toSorted((a, b) => a.sonnet - b.sonnet)).toEqual([
    { step: "read", sonnet: 1, by: "two", lines: 2, known: 1 },
    { step: "read", sonnet: 2, by: "two", lines: 2, known: 0 },
    { step: "read", sonnet: 3, by: "two", lines: 2, known: 0 },
  ]);
});

it("a reader that is lost last leaves its part to those that had already done theirs", async () => {
  const others = Promise.withResolvers<void>();
  const { findings } = await scatter({
    readers,
    sonnets: [1, 2],
    async *read({ name }, sonnet) {
      if (name === "one") {
        await others.promise;
        throw lost;
      }
      yield finding(sonnet, 1);
    },
    tell: ({ step }) => step === "read" && others.resolve(),
    signal: never,
  });
  expect(findings.map(({ text }) => text).toSorted()).toEqual(["1.1", "2.1"]);
});

it("without any reader left it fails, and says what was not read", async () => {
  const reading = scatter({
    readers,
    sonnets: [1, 2],
    // biome-ignore lint/correctness/useYield: it fails before it has found anything.
    async *read() {
      throw lost;
    },
    tell: () => {},
    signal: never,
  });
  await expect(reading).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/sonnets (1, 2|2, 1)$/),
  });
});

it("given up, it stops, and fails as cancelled", async () => {
  const stop = new AbortController();
  const reading = scatter({
    readers,
    sonnets: [1],
    async *read(_, __, signal) {
      stop.abort();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
    },
    tell: () => {},
    signal: stop.signal,
  });
  await expect(reading).rejects.toMatchObject({ code: "cancelled" });
});
