import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { LiveSession } from "./live-session.ts";
import { Numbers } from "./numbers.ts";
import { Session } from "./session.ts";

/** A session in use, and what it tells its connection. */
function live() {
  const clock = manualRuntime();
  const told: string[] = [];
  const session = new Session({
    id: "s",
    numbers: new Numbers(64),
    bounds: { messages: 8, bytes: 1_000 },
    acks: { messages: 4, chars: 100 },
  });
  const home = {
    detached: () => void told.push("home detached"),
    kept: () => {},
    attached: () => void told.push("home attached"),
    progressed: () => void told.push("home progressed"),
    over: () => void told.push("home over"),
  };
  const one = new LiveSession(
    { session, home, windowMs: 1_000, unconfirmedMs: 100, runtime: clock.runtime },
    {
      sayOfSession: (kind, { ack, high }) => void told.push(`${kind} ${ack} ${high}`),
      sessionAcknowledged: () => void told.push("acknowledged"),
      sessionGap: () => void told.push("gap"),
      sessionBreach: () => void told.push("breach"),
      sessionExpired: (waitedMs) => void told.push(`expired after ${waitedMs}`),
    },
  );
  let sn = 0;
  const message = (kind: string, more: object = {}): Envelope => ({ kind, ...more }) as unknown as Envelope;
  return {
    ...clock,
    one,
    told,
    session,
    message,
    /** The next message comes, and is handed over. */
    take(kind: string, chars = 1, more: object = {}): boolean {
      const next = message(kind, { sn: ++sn, ...more });
      if (!one.admits(next)) return false;
      one.handedOver(next, chars);
      return true;
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("by a new channel it has made progress", () => {
  const detachedAndBack = () => {
    const on = live();
    on.session.sent("one", undefined);
    on.session.sent("two", undefined);
    on.one.detached(undefined);
    on.one.attached(1, 0);
    return { ...on, progress: () => on.told.filter((line) => line === "home progressed").length };
  };

  it("when the peer acknowledges what it had not before, and is told of once", () => {
    const { one, message, progress } = detachedAndBack();
    one.admits(message("ack", { ack: 1, high: 0 }));
    expect(progress()).toBe(0);
    one.admits(message("ack", { ack: 2, high: 0 }));
    expect(progress()).toBe(1);
  });

  it("when something of the peer's is handed over", () => {
    const { take, progress } = detachedAndBack();
    take("item");
    take("item");
    expect(progress()).toBe(1);
  });

  it("but not by its first one", () => {
    const { take, told } = live();
    take("item");
    expect(told).not.toContain("home progressed");
  });
});

describe("the peer hears of what was taken over", () => {
  it("after so many messages, or so many characters, at once", () => {
    const { take, told } = live();
    for (let n = 0; n < 5; n++) take("request");
    expect(told).toEqual(["ack 4 0"]);
    take("item", 99);
    expect(told).toEqual(["ack 4 0", "ack 6 0"]);
  });

  it("at the end of the turn, when it waits for that, once for all", async () => {
    const { take, told } = live();
    for (const kind of ["notify", "publish", "notify"]) take(kind);
    expect(told).toEqual([]);
    await turn();
    expect(told).toEqual(["ack 3 0"]);
  });

  it("else after 50 ms, and not again without need", () => {
    const { take, told, advance } = live();
    take("request");
    advance(49);
    expect(told).toEqual([]);
    advance(1);
    expect(told).toEqual(["ack 1 0"]);
    advance(1_000);
    expect(told).toEqual(["ack 1 0"]);
  });

  it("at once when it is about to leave", () => {
    const { take, told } = live();
    take("bye");
    expect(told).toEqual(["ack 1 0"]);
  });

  it("again, when it has not heard", async () => {
    const { take, told, one, message } = live();
    take("notify");
    await turn();
    expect(one.admits(message("notify", { sn: 1 }))).toBe(false);
    await turn();
    expect([told, one.repeated]).toEqual([["ack 1 0", "ack 1 0"], 1]);
  });
});

it("what an acknowledgement says that rides on a message counts after the message", () => {
  const { one, told, session, message } = live();
  session.sent("mine", undefined);
  const next = message("item", { sn: 1, ack: 1 });
  expect(one.admits(next)).toBe(true);
  expect(told).toEqual([]);
  one.handedOver(next, 1);
  expect(told).toEqual(["acknowledged"]);
});

it("what is out of place is no gap for a repetition, and a breach without a number", () => {
  const { one, told, message } = live();
  one.admits(message("item", { sn: 2 }));
  one.admits(message("ack", { ack: 0, high: 1 }));
  one.admits(message("item"));
  one.admits(message("ack"));
  one.admits(message("ack", { ack: 5 }));
  expect(told).toEqual(["gap", "gap", "breach", "breach", "breach"]);
});

describe("without a channel", () => {
  it("waits for its window; for a shorter time when the peer has never used it (rule 16)", () => {
    const unused = live();
    unused.one.detached(undefined);
    unused.advance(99);
    expect(unused.told).toEqual(["home detached"]);
    unused.advance(1);
    expect(unused.told).toEqual(["home detached", "expired after 100"]);
    const used = live();
    used.take("request");
    used.one.detached(undefined);
    used.advance(1_000);
    expect(used.told).toEqual(["home detached", "expired after 1000"]);
  });

  it("says nothing, and leaves no timer when it is over", async () => {
    const { one, take, told, ...clock } = live();
    take("notify");
    one.detached(undefined);
    await turn();
    expect(told).toEqual(["home detached"]);
    one.attached(0, 0);
    take("request");
    one.stop();
    clock.advance(5_000);
    expect([told, clock.timers]).toEqual([["home detached", "home attached", "home progressed", "home over"], 0]);
    expect(one.resumable).toBe(false);
  });
});
