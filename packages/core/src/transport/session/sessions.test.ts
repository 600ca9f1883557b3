import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import type { ParleyError } from "../../call/error.ts";
import { Numbers } from "./numbers.ts";
import type { Resumable } from "./resumable.ts";
import { Session } from "./session.ts";
import { type SessionEntry, Sessions, type SessionsOptions } from "./sessions.ts";

interface Held {
  readonly id: string;
  readonly entry: SessionEntry;
  readonly session: Session;
  lost: ParleyError | undefined;
}

/** A store, and sessions in it whose connections end when they are lost. */
function store(options: SessionsOptions = {}) {
  const sessions = new Sessions(options, manualRuntime().runtime);
  const add = (principal?: string): Held => {
    const id = sessions.name();
    if (id === undefined) throw new Error("no room");
    const session = new Session({
      id,
      numbers: new Numbers(),
      bounds: { messages: 8, bytes: 1_000 },
      acks: { messages: 4, chars: 100 },
    });
    const holder: Pick<Resumable, "session" | "lose"> = {
      session,
      lose(reason) {
        held.lost = reason;
        held.entry.over();
      },
    };
    // All that the store asks of it.
    const held: Held = { id, session, lost: undefined, entry: sessions.add(id, holder as Resumable, principal) };
    return held;
  };
  return { sessions, add };
}

describe("a claim", () => {
  it("finds the session by its name, and a name that nobody has finds none", () => {
    const { sessions, add } = store();
    const one = add("ada");
    expect(sessions.claim({ id: one.id, generation: 2, principal: "ada" })).toBe(one.entry);
    expect(sessions.claim({ id: "x", generation: 2, principal: "ada" })).toBeUndefined();
  });

  it("is refused unless its generation is greater than the last", () => {
    const { sessions, add } = store();
    const one = add();
    for (const generation of [0, 1]) {
      expect(() => sessions.claim({ id: one.id, generation, principal: undefined })).toThrow(
        expect.objectContaining({ code: "aborted", outcome: "not-sent" }),
      );
    }
    sessions.claim({ id: one.id, generation: 5, principal: undefined });
    expect(() => sessions.claim({ id: one.id, generation: 5, principal: undefined })).toThrow(/5 times/);
  });

  it("by another principal, or by none, is refused, and changes nothing", () => {
    const { sessions, add } = store();
    const one = add("ada");
    for (const principal of ["eve", undefined]) {
      expect(() => sessions.claim({ id: one.id, generation: 9, principal })).toThrow(
        expect.objectContaining({ code: "permission_denied", outcome: "not-sent" }),
      );
    }
    expect(one.entry.generation).toBe(1);
  });
});

describe("at the bounds", () => {
  it("the session that has waited longest makes room for a new one; one in use does not", () => {
    const { sessions, add } = store({ maxSessions: 3 });
    const [first, second, third] = [add(), add(), add()];
    expect(sessions.name()).toBeUndefined();
    third.entry.detached(undefined);
    first.entry.detached(undefined);
    const fourth = add();
    expect([first.lost, second.lost, third.lost?.code, fourth.lost]).toEqual([
      undefined,
      undefined,
      "data_loss",
      undefined,
    ]);
  });

  it("those of peers that nobody has authenticated make room first, for number and for what is kept", () => {
    const { add } = store({ maxSessions: 4, maxReplayChars: 250 });
    const [known, one, two, large] = [add("ada"), add(), add(), add("eve")];
    for (const { entry } of [known, one, two]) entry.detached(undefined);
    const fifth = add();
    expect([known.lost, one.lost?.code, two.lost]).toEqual([undefined, "data_loss", undefined]);
    fifth.session.sent("x".repeat(300), undefined);
    two.entry.attached();
    fifth.entry.detached(undefined);
    expect([known.lost, fifth.lost?.code]).toEqual([undefined, "data_loss"]);
    large.session.sent("x".repeat(300), undefined);
    large.entry.detached(undefined);
    expect(known.lost?.code).toBe("data_loss");
  });

  it("so many of one peer wait, and no more: the oldest goes; those of others, and of nobody, stay", () => {
    const { add } = store({ maxDetachedPerPrincipal: 2 });
    const [other, nobody, ...own] = [add("eve"), add(), add("ada"), add("ada"), add("ada")];
    for (const { entry } of [other, nobody, nobody, ...own]) entry.detached(undefined);
    expect(own.map(({ lost }) => lost?.code)).toEqual(["data_loss", undefined, undefined]);
    expect([other.lost, nobody.lost]).toEqual([undefined, undefined]);
    own[1]?.entry.attached();
    own[1]?.entry.detached(undefined);
    expect(own.map(({ lost }) => lost?.code)).toEqual(["data_loss", undefined, undefined]);
  });

  it("what waits keeps so much together, and no more: the oldest goes", () => {
    const { add } = store({ maxReplayChars: 250 });
    const [first, second] = [add(), add()];
    const push = ({ session, entry }: Held, chars: number): void => {
      session.sent("x".repeat(chars), undefined);
      entry.kept(chars);
    };
    first.session.sent("x".repeat(100), undefined);
    first.entry.detached(undefined);
    second.entry.detached(undefined);
    push(second, 100);
    expect([first.lost, second.lost]).toEqual([undefined, undefined]);
    push(second, 100);
    expect([first.lost?.code, second.lost]).toEqual(["data_loss", undefined]);
    second.entry.attached();
    second.session.acknowledged(2);
    second.entry.detached(undefined);
    push(second, 240);
    expect(second.lost).toBeUndefined();
  });
});
