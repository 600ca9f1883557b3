import { describe, expect, it } from "vitest";
import { systemRuntime } from "../runtime/runtime.ts";
import { newId, shortId } from "./id.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function runtimeAt(date: () => number) {
  return { date, randomBytes: systemRuntime.randomBytes };
}

describe("an id", () => {
  it("is a UUIDv7 that begins with the time", () => {
    const id = newId(runtimeAt(() => 0x0123_4567_89ab));
    expect(id).toMatch(UUID_V7);
    expect(id.slice(0, 13)).toBe("01234567-89ab");
  });

  it("is like no other, though the pool of random bytes is filled many times", () => {
    const ids = Array.from({ length: 20_000 }, () => newId(systemRuntime));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length);
    expect(ids.every((id) => UUID_V7.test(id))).toBe(true);
  });

  it("ascends while the clock stands still, also beyond what the counter holds", () => {
    const runtime = runtimeAt(() => 1_700_000_000_000);
    const ids = Array.from({ length: 10_000 }, () => newId(runtime));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("ascends when the clock steps back", () => {
    let ms = 1_700_000_000_000;
    const runtime = runtimeAt(() => ms);
    const before = newId(runtime);
    ms -= 3_600_000;
    const after = newId(runtime);
    expect(after > before).toBe(true);
    expect(after.slice(0, 13)).toBe(before.slice(0, 13));
  });

  it("takes time and chance from its own runtime alone", () => {
    const seeded = () => ({ date: () => 5, randomBytes: (target: Uint8Array) => void target.fill(7) });
    const [one, other] = [seeded(), seeded()];
    expect([newId(one), newId(one)]).toEqual([newId(other), newId(other)]);
  });

  it("has a short form of letters and digits", () => {
    const ids = Array.from({ length: 2_000 }, () => shortId(systemRuntime));
    expect(ids.every((id) => /^[a-z2-7]{16}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
