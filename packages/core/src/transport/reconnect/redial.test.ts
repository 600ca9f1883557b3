import { expect, test } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import { AuthenticationError, TransportError } from "../../call/error.ts";
import { Redial, type RedialWait } from "./redial.ts";

const down = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });

/** A redial whose dials end as told, one after the other, and whose delays pass at once. */
function stage(ends: (Error | undefined)[], maxAttempts = Number.POSITIVE_INFINITY) {
  const clock = manualRuntime();
  const attempts: RedialWait[] = [];
  const gaveUp: Error[] = [];
  const redial = new Redial({
    policy: { baseMs: 100, maxMs: 1_000, maxAttempts },
    runtime: clock.runtime,
    log: undefined,
    signal: new AbortController().signal,
    waits(wait) {
      attempts.push(wait);
      queueMicrotask(() => clock.advance(1_000));
    },
    gaveUp: (error) => gaveUp.push(error),
  });
  const dial = async (): Promise<void> => {
    const end = ends.shift();
    if (end) throw end;
  };
  return { clock, redial, attempts, gaveUp, run: () => redial.run(down, dial) };
}

test("dials until it works, and counts on when it is lost again soon, but not later", async () => {
  const { clock, redial, attempts, run } = stage([down, undefined, undefined, undefined]);
  await run();
  redial.opened();
  clock.advance(10);
  await run();
  redial.opened();
  clock.advance(1_000);
  await run();
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
});

test("counts anew where the connection went on with what was under way, ten times in the longest delay", async () => {
  const { clock, redial, attempts, run } = stage([]);
  // The delay of an attempt takes the whole of it here.
  const cut = async (): Promise<number | undefined> => {
    const dialling = run();
    await dialling;
    redial.opened();
    return attempts.at(-1)?.attempt;
  };
  expect([await cut(), await cut()]).toEqual([1, 2]);
  const quick: (number | undefined)[] = [];
  for (let n = 0; n < 12; n++) redial.progressed();
  quick.push(await cut(), await cut());
  expect(quick).toEqual([1, 2]);
  clock.advance(100);
  redial.progressed();
  expect(await cut()).toBe(1);
});

test("gives up at the limit, and at once when no further attempt can help", async () => {
  const limited = stage([down, down, down], 2);
  await limited.run();
  expect(limited.gaveUp).toEqual([down]);
  expect(limited.attempts).toHaveLength(2);
  const refused = new AuthenticationError("permission_denied", "you may not");
  const barred = stage([refused, undefined]);
  await barred.run();
  expect(barred.gaveUp).toEqual([refused]);
  expect(barred.attempts).toHaveLength(1);
});

test("stays away as long as the peer asked, up to the longest delay", async () => {
  const busy = (retryAfterMs: number) => new TransportError("unavailable", "busy", { retryAfterMs });
  const { attempts, run } = stage([busy(700), busy(60_000), undefined]);
  await run();
  expect(attempts.slice(1).map(({ delayMs }) => delayMs)).toEqual([700, 1_000]);
});

test("a signal ends it between attempts, and leaves no timer", async () => {
  const clock = manualRuntime();
  const giveUp = new AbortController();
  const redial = new Redial({
    policy: { baseMs: 100, maxMs: 1_000, maxAttempts: 5 },
    runtime: clock.runtime,
    log: undefined,
    signal: giveUp.signal,
    waits: () => queueMicrotask(() => giveUp.abort()),
    gaveUp: (error) => expect.unreachable(error.message),
  });
  await redial.run(down, () => Promise.reject(down));
  expect(clock.timers).toBe(0);
});
