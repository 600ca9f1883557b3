import { expect, test } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import { failureOf } from "../../../test/settling.ts";
import { AuthenticationError, type ParleyError, TransportError } from "../../call/error.ts";
import type { OperationOptions } from "../../runtime/within.ts";
import { type ReconnectOptions, reconnectPolicy } from "../reconnect/options.ts";
import type { ClientStateChange } from "./client-state.ts";
import { type Ending, LinkKeeper } from "./link-keeper.ts";
import { Operation } from "./operation.ts";

interface Dial {
  readonly signal: AbortSignal;
  open(): void;
  fail(error: ParleyError): void;
  lose(error?: ParleyError, end?: Ending | false): void;
}

const cut = new TransportError("unavailable", "cut", { outcome: "unknown" });

/** A keeper of links that are numbers, whose dials a test answers. */
function stage(reconnect: ReconnectOptions = {}) {
  const clock = manualRuntime();
  const dials: Dial[] = [];
  const shut: [link: number, graceMs: number][] = [];
  const ended: (ParleyError | undefined)[] = [];
  const states: ClientStateChange[] = [];
  let dialled = Promise.withResolvers<void>();
  let taken = 1;
  const keeper = new LinkKeeper<number>({
    peer: "the peer",
    dial: (signal, { opened, lost }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        const open = (): void => {
          opened(dials.length);
          resolve();
        };
        dials.push({ signal, open, fail: reject, lose: (error = cut, end) => lost(error, end) });
        dialled.resolve();
        dialled = Promise.withResolvers();
      }),
    shut: async (link, graceMs) => void shut.push([link, graceMs]),
    ping: async () => {},
    ended: (reason) => ended.push(reason),
    policy: reconnectPolicy({ baseMs: 100, maxMs: 1_000, ...reconnect }),
    runtime: clock.runtime,
    log: undefined,
  });
  keeper.onState((change) => {
    states.push(change);
    // The wait for the attempt passes as soon as it has begun.
    const { delayMs } = change;
    if (delayMs !== undefined) queueMicrotask(() => clock.advance(delayMs));
  });
  const operate = (options: OperationOptions = {}): Promise<number> => {
    const operation = new Operation<number>({ what: "the operation", runtime: clock.runtime, ...options });
    keeper.run(operation, (link) => operation.resolve(link));
    return operation.promise;
  };
  return {
    clock,
    keeper,
    dials,
    shut,
    ended,
    states,
    operate,
    /** The next dial after the first. */
    async nextDial(): Promise<Dial> {
      while (dials.length <= taken) await dialled.promise;
      return dials[taken++] as Dial;
    },
  };
}

test("the first operation dials, those beside it share the dial, and they go in their order", async () => {
  const { keeper, operate, dials, states } = stage();
  expect(keeper.state).toBe("idle");
  const order: string[] = [];
  const all = ["a", "b", "c"].map((name) => operate().then(() => order.push(name)));
  expect(keeper.state).toBe("connecting");
  dials[0]?.open();
  await Promise.all(all);
  expect(order).toEqual(["a", "b", "c"]);
  expect(dials.length).toBe(1);
  expect(states.map(({ state }) => state)).toEqual(["connecting", "open"]);
});

test("a first dial that fails fails what waits for it, as not sent, and the next operation dials anew", async () => {
  const { keeper, operate, dials } = stage();
  const first = operate();
  dials[0]?.fail(new AuthenticationError("unauthenticated", "who?", { outcome: "rejected" }));
  expect(await failureOf(first)).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
  expect(keeper.state).toBe("idle");
  const second = operate();
  dials[1]?.open();
  expect(await second).toBe(2);
});

test("a first dial for which nobody waits any more is given up; whoever comes then has one of their own", async () => {
  const { keeper, operate, dials } = stage();
  const controller = new AbortController();
  const given = operate({ signal: controller.signal });
  controller.abort();
  expect(await failureOf(given)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  expect(dials[0]?.signal.aborted).toBe(true);
  expect(keeper.state).toBe("idle");
  const next = operate();
  dials[1]?.open();
  expect(await next).toBe(2);
});

test("after a cut operations wait, bounded in number and time, and go when the link is back", async () => {
  const { keeper, operate, dials, nextDial, clock, states } = stage({ maxWaiting: 2, waitMs: 500 });
  const first = operate();
  dials[0]?.open();
  await first;
  dials[0]?.lose();
  expect(keeper.state).toBe("reconnecting");
  const [late, other] = [operate(), operate()];
  expect(await failureOf(operate())).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  clock.advance(500);
  expect(await failureOf(late)).toMatchObject({ code: "unavailable", outcome: "not-sent", cause: cut });
  await failureOf(other);
  const dial = await nextDial();
  const waiting = operate();
  dial.open();
  expect(await waiting).toBe(2);
  expect(states.at(-2)).toMatchObject({ state: "reconnecting", attempt: 1, error: cut });
  expect(clock.timers).toBe(0);
});

test("an operation that takes too long is not sent while it waits", async () => {
  const { operate, clock } = stage();
  const operation = operate({ timeoutMs: 100 });
  clock.advance(200);
  expect(await failureOf(operation)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
});

test("a link that is lost before it was handed over counts as one that was not there", async () => {
  const { keeper, operate, dials, nextDial } = stage();
  const first = operate();
  dials[0]?.open();
  await first;
  dials[0]?.lose();
  const dial = await nextDial();
  dial.open();
  dial.lose();
  const again = await nextDial();
  again.open();
  expect(await operate()).toBe(3);
  expect(keeper.state).toBe("open");
});

test.each([
  ["what no attempt can change", {}, new AuthenticationError("permission_denied", "no"), 2],
  ["the last of the attempts allowed", { maxAttempts: 1 }, cut, 2],
])("%s ends it for good", async (_, reconnect, error, count) => {
  const { keeper, operate, dials, nextDial, ended } = stage(reconnect);
  const first = operate();
  dials[0]?.open();
  await first;
  dials[0]?.lose();
  const waiting = operate();
  (await nextDial()).fail(error);
  expect(await failureOf(waiting)).toMatchObject({ code: "unavailable", outcome: "not-sent", cause: error });
  expect(keeper.state).toBe("closed");
  expect(ended).toEqual([error]);
  expect(await failureOf(operate())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(dials.length).toBe(count);
});

test("closing shuts the link within the grace, fails what waits, and gives a dial up", async () => {
  const { keeper, operate, dials, shut, ended } = stage();
  const first = operate();
  dials[0]?.open();
  await first;
  await Promise.all([keeper.close(70), keeper.close(80)]);
  expect(shut).toEqual([[1, 70]]);
  expect(ended).toEqual([undefined]);
  const other = stage();
  const waiting = other.operate();
  await other.keeper.close(0);
  expect(await failureOf(waiting)).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(other.dials[0]?.signal.aborted).toBe(true);
  expect(other.clock.timers).toBe(0);
  expect(other.keeper.state).toBe("closed");
});

test("health opens nothing, and tells of a sign of life or of none", async () => {
  const { keeper, operate, dials } = stage();
  expect(await keeper.health()).toEqual({ state: "idle", lastError: undefined });
  expect(dials.length).toBe(0);
  const first = operate();
  dials[0]?.open();
  await first;
  expect(await keeper.health()).toEqual({ state: "open", roundTripMs: 0, lastError: undefined });
});

test("its owner decides whether a lost link is the end, and of what", async () => {
  const refused = new AuthenticationError("permission_denied", "no", { outcome: "rejected" });
  const { keeper, dials, nextDial, ended, operate } = stage();
  keeper.begin();
  dials[0]?.open();
  dials[0]?.lose(refused, false);
  expect(keeper.state).toBe("reconnecting");
  const dial = await nextDial();
  dial.open();
  dial.lose(cut, { reason: undefined });
  expect(keeper.state).toBe("closed");
  expect(ended).toEqual([undefined]);
  expect((await failureOf(operate())).cause).toBe(cut);
  expect(() => keeper.begin()).toThrow("has ended: cut");
});

test("a dial that is wanted for itself is not given up by those who wait for it", async () => {
  const { keeper, operate, dials } = stage();
  const controller = new AbortController();
  const given = operate({ signal: controller.signal });
  keeper.begin();
  controller.abort();
  await failureOf(given);
  expect(keeper.state).toBe("connecting");
  dials[0]?.open();
  expect(keeper.state).toBe("open");
  expect(dials.length).toBe(1);
});

test("a link that is opened in the turn of its dial is there before anything of it can arrive", () => {
  const { keeper, dials, states } = stage();
  keeper.begin();
  dials[0]?.open();
  expect(keeper.link).toBe(1);
  expect(states.map(({ state }) => state)).toEqual(["connecting", "open"]);
});
