import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf } from "../../test/settling.ts";
import { within } from "./within.ts";

const never = new Promise<never>(() => {});

test("what comes in time is passed on, and what fails fails; nothing is left behind", async () => {
  const { runtime, ...clock } = manualRuntime();
  const { signal } = new AbortController();
  expect(await within(Promise.resolve(1), { signal, timeoutMs: 10 }, runtime, "no answer")).toBe(1);
  await expect(
    within(Promise.reject(new Error("no")), { signal, timeoutMs: 10 }, runtime, "no answer"),
  ).rejects.toThrow("no");
  expect([clock.timers, getEventListeners(signal, "abort")]).toEqual([0, []]);
});

test("too late, or given up: fails at once with the outcome; nothing is left behind", async () => {
  const clock = manualRuntime();
  const giveUp = new AbortController();
  const late = failureOf(within(never, { timeoutMs: 10, signal: giveUp.signal }, clock.runtime, "no answer"));
  clock.advance(10);
  expect(await late).toMatchObject({
    code: "deadline_exceeded",
    outcome: "not-sent",
    message: "no answer within 10 ms",
  });
  const given = failureOf(
    within(never, { timeoutMs: 10, signal: giveUp.signal }, clock.runtime, "no answer", "unknown"),
  );
  giveUp.abort("bored");
  expect(await given).toMatchObject({ code: "cancelled", outcome: "unknown", cause: "bored" });
  expect(await failureOf(within(never, { signal: giveUp.signal }, clock.runtime, "no answer"))).toMatchObject({
    code: "cancelled",
  });
  expect([clock.timers, getEventListeners(giveUp.signal, "abort")]).toEqual([0, []]);
});
