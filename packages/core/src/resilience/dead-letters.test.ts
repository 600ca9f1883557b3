import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failure, open, Peer } from "../../test/policies.ts";
import { failureOf } from "../../test/settling.ts";
import { ParleyError } from "../call/error.ts";
import { memoryDeadLetters } from "./dead-letter-store.ts";
import { type DeadLettersOptions, deadLetters } from "./dead-letters.ts";

const poison = new ParleyError("internal", "cannot read it", { details: { at: 3 } });

function burying(peer: Peer, options: DeadLettersOptions = {}) {
  const clock = manualRuntime();
  const told: boolean[] = [];
  const dead = deadLetters({ runtime: clock.runtime, onDeadLetter: (_, kept) => told.push(kept), ...options });
  const invoke = dead(peer.invoke);
  const deliver = (id: string, kind: "notify" | "request" = "notify", data: unknown = { n: 1 }) =>
    invoke(open(clock, { kind, attributes: { id, data } }));
  return { clock, dead, told, peer, deliver };
}

describe("a message that fails again and again", () => {
  it("is put aside as it came, with reason and attempts, and accepted then", async () => {
    const { dead, deliver, told } = burying(new Peer(poison), { maxAttempts: 3 });
    const bytes = new Uint8Array([0, 255]);
    for (let n = 0; n < 2; n++) expect(await failureOf(deliver("a", "notify", bytes))).toBe(poison);
    expect(await dead.list()).toEqual([]);
    expect(await deliver("a", "notify", bytes)).toEqual({});
    const [letter] = await dead.list();
    expect(letter).toMatchObject({
      key: "/test a",
      attempts: 3,
      reason: { code: "internal", message: "cannot read it", details: { at: 3 } },
      diedAt: 1_700_000_001_000,
    });
    expect(letter?.message.data).toBe(bytes);
    expect(told).toEqual([true]);
  });

  it("and has a caller who waits fails as it did, and is put aside as well", async () => {
    const { dead, deliver } = burying(new Peer(poison), { maxAttempts: 1 });
    expect(await failureOf(deliver("a", "request"))).toBe(poison);
    expect(await dead.list()).toHaveLength(1);
  });

  it("is not counted together with others, or across a success", async () => {
    const { dead, deliver } = burying(new Peer(poison, poison, "answer", poison), { maxAttempts: 2 });
    await failureOf(deliver("a"));
    await failureOf(deliver("b"));
    await deliver("a");
    await failureOf(deliver("a"));
    expect(await dead.list()).toEqual([]);
  });

  it("is counted anew when too many others fail meanwhile", async () => {
    const { dead, deliver } = burying(new Peer(poison), { maxAttempts: 2, maxTracked: 5 });
    for (const id of ["a", "b", "c", "d", "e", "f", "a"]) await failureOf(deliver(id));
    expect(await dead.list()).toEqual([]);
  });
});

it("a store that is full keeps what it has; the failure is passed on, and told", async () => {
  const { dead, deliver, told } = burying(new Peer(poison), {
    maxAttempts: 1,
    store: memoryDeadLetters({ maxLetters: 2 }),
  });
  await deliver("a");
  await deliver("b");
  expect(await failureOf(deliver("c"))).toBe(poison);
  expect([(await dead.list()).map(({ key }) => key), told]).toEqual([
    ["/test a", "/test b"],
    [true, true, false],
  ]);
});

describe("redriving", () => {
  async function three(): Promise<ReturnType<typeof burying>> {
    const all = burying(new Peer(poison), { maxAttempts: 1 });
    for (const id of ["a", "b", "c"]) await all.deliver(id);
    return all;
  }

  it("sends letters again, oldest first, and forgets those that are answered", async () => {
    const { dead } = await three();
    const peer = new Peer("answer", failure("rejected"), "answer");
    expect(await dead.redrive(peer.invoke)).toEqual({ done: 2, failed: 1, stopped: false });
    expect(peer.calls.map(({ message, kind }) => [kind, message.id])).toEqual([
      ["notify", "a"],
      ["notify", "b"],
      ["notify", "c"],
    ]);
    expect(await dead.list()).toMatchObject([{ key: "/test b", attempts: 2, reason: { code: "unavailable" } }]);
  });

  it("takes so many", async () => {
    const { dead } = await three();
    expect(await dead.redrive(new Peer("answer").invoke, 2)).toMatchObject({ done: 2 });
    expect(await dead.list()).toHaveLength(1);
  });

  it("stops when most fail again", async () => {
    const { dead, deliver } = burying(new Peer(poison), { maxAttempts: 1 });
    for (let n = 0; n < 100; n++) await deliver(String(n));
    const peer = new Peer(poison);
    expect(await dead.redrive(peer.invoke)).toEqual({ done: 0, failed: 10, stopped: true });
    expect([peer.calls.length, (await dead.list(1_000)).length]).toEqual([10, 100]);
  });
});
