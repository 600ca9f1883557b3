import { describe, expect, it } from "vitest";
import { Numbers } from "./numbers.ts";
import type { Replayed } from "./ring.ts";
import { Session } from "./session.ts";

const skip = (sn: number): string => `skip ${sn}`;

function session(bounds = { messages: 8, bytes: 1_000 }, acks = { messages: 4, chars: 100 }): Session {
  return new Session({ id: "s", numbers: new Numbers(64), bounds, acks });
}

/** Sends so many more messages, each saying its number. */
function send(from: Session, count: number): void {
  for (let n = 0; n < count; n++) from.sent(`${from.next}`, undefined);
}

function take(at: Session, count: number): void {
  for (let n = 0; n < count; n++) at.handedOver(1);
}

/** An opener whose call may be over, and that says when it was handed over. */
function opener(): Replayed & { over: boolean; handed: number } {
  return {
    over: false,
    handed: 0,
    again(sn) {
      return this.over ? undefined : `${sn} again`;
    },
    handedOver() {
      this.handed++;
    },
  };
}

describe("what arrives (rule 1)", () => {
  it("is taken in its order; what was there is repeated; what comes too early is a gap", () => {
    const one = session();
    expect([one.place(1), one.place(0), one.place(2)]).toEqual(["next", "repeated", "gap"]);
    take(one, 3);
    expect([one.place(3), one.place(4), one.place(5)]).toEqual(["repeated", "next", "gap"]);
  });

  it("goes on with 0 when the circle is complete", () => {
    const one = session();
    take(one, 63);
    expect(one.received).toBe(63);
    expect([one.place(0), one.place(63), one.place(1)]).toEqual(["next", "repeated", "gap"]);
    take(one, 2);
    expect([one.received, one.place(2), one.place(40)]).toEqual([1, "next", "repeated"]);
  });

  it("is a gap when the peer says that it has sent more than has come", () => {
    const one = session();
    take(one, 2);
    expect(one.acknowledged(0, 2)).toBe("taken");
    expect(one.acknowledged(0, 3)).toBe("gap");
  });
});

describe("acknowledgements (rule 2)", () => {
  it("are due after so many messages, or so many characters", () => {
    const one = session();
    expect([1, 2, 3, 4].map(() => one.handedOver(1))).toEqual([false, false, false, true]);
    one.told();
    expect(one.isAckDue).toBe(false);
    expect([60, 40].map((chars) => one.handedOver(chars))).toEqual([false, true]);
  });

  it("ride along when a part of that is due, and 16 at the most", () => {
    const one = session(undefined, { messages: 64, chars: 1_000 });
    take(one, 15);
    expect(one.riding).toBeUndefined();
    take(one, 1);
    expect(one.riding).toBe(16);
    one.told();
    expect(one.riding).toBeUndefined();
  });
});

describe("what is kept", () => {
  it("goes as soon as it is acknowledged, in whatever order acknowledgements come", () => {
    const one = session();
    send(one, 5);
    expect(one.acknowledged(3)).toBe("taken");
    expect(one.acknowledged(2)).toBe("taken");
    expect(one.replay(skip)).toEqual(["4", "5"]);
    expect(one.acknowledged(5)).toBe("taken");
    expect([one.replay(skip), one.chars]).toEqual([[], 0]);
  });

  it("cannot be acknowledged before it is sent", () => {
    const one = session();
    send(one, 2);
    expect(one.acknowledged(3)).toBe("wrong");
  });

  it("is full at so many messages or characters, and then holds what cannot wait (rule 11)", () => {
    const one = session();
    send(one, 7);
    expect(one.full).toBe(false);
    send(one, 1);
    expect(one.full).toBe(true);
    send(one, 20);
    expect(one.replay(skip)).toHaveLength(28);
    one.acknowledged(21);
    expect(one.full).toBe(false);
    one.sent("x".repeat(1_000), undefined);
    expect([one.full, one.reserveChars > 0]).toEqual([true, true]);
  });

  it("survives any number of turns of the circle", () => {
    const one = session();
    for (let round = 0; round < 1_000; round++) {
      send(one, 3);
      expect(one.acknowledged(one.last)).toBe("taken");
    }
    send(one, 2);
    expect(one.replay(skip)).toEqual([`${3_001 % 64}`, `${3_002 % 64}`]);
  });
});

describe("on a new channel", () => {
  it("a cursor outside what is kept loses the session (rule 6)", () => {
    const one = session();
    send(one, 6);
    one.acknowledged(3);
    expect([2, 3, 6, 7, 40].map((ack) => one.holds(ack))).toEqual([false, true, true, false, false]);
  });

  it("what the peer has is let go of, and the rest is replayed in its order (rule 7)", () => {
    const one = session();
    send(one, 6);
    one.attached(4, 0);
    expect(one.replay(skip)).toEqual(["5", "6"]);
  });

  it("an opener is written anew, and is skipped, never left out, when its call is over (rule 8)", () => {
    const one = session();
    const [first, second] = [opener(), opener()];
    one.sent("1", first);
    one.sent("2", second);
    send(one, 1);
    first.over = true;
    expect(one.replay(skip)).toEqual(["skip 1", "2 again", "3"]);
  });

  it("a message counts as handed over only when all that the peer had sent by then is here (rule 3)", () => {
    const one = session();
    const notify = opener();
    one.sent("1", notify);
    take(one, 2);
    one.attached(1, 4);
    expect([notify.handed, one.replay(skip)]).toEqual([0, []]);
    take(one, 1);
    one.acknowledged(1);
    expect(notify.handed).toBe(0);
    take(one, 1);
    expect(notify.handed).toBe(1);
  });

  it("one that is acknowledged as things go counts at once", () => {
    const one = session();
    const notify = opener();
    one.sent("1", notify);
    one.acknowledged(1, 0);
    expect(notify.handed).toBe(1);
  });
});
