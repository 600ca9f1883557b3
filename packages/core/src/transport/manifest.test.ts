import { describe, expect, it } from "vitest";
import { manifestProblems } from "./manifest.ts";
import { memory } from "./memory.ts";

const { manifest } = memory();
const broker = {
  replicas: true,
  noResponders: false,
  senderIdentity: false,
  presence: true,
  lossDetection: "sequence",
  overflow: "drop-oldest",
  expiryResolutionMs: 0,
};

describe("a manifest", () => {
  it("that states every key is sound, with a broker or without", () => {
    expect(manifestProblems(manifest)).toEqual([]);
    expect(manifestProblems({ ...manifest, broker })).toEqual([]);
  });

  it.each(Object.keys(manifest))("without %s is not", (key) => {
    const { [key]: _, ...rest } = manifest as unknown as Record<string, unknown>;
    expect(manifestProblems(rest)).toEqual([`manifest.${key} is missing; a manifest has no defaults`]);
  });

  it("names the place of a problem inside", () => {
    const { request: _, ...kinds } = manifest.kinds;
    const { maxCalls: __, ...limits } = manifest.limits;
    const { presence: ___, ...halfBroker } = broker;
    expect(manifestProblems({ ...manifest, kinds, limits, broker: halfBroker })).toEqual([
      "manifest.kinds.request is missing; a manifest has no defaults",
      "manifest.limits.maxCalls is missing; a manifest has no defaults",
      expect.stringContaining("broker.presence is missing"),
    ]);
  });

  it.each([
    [
      { delivery: "exactly-once" },
      'manifest.delivery must be one of "at-most-once", "at-least-once", and is "exactly-once"',
    ],
    [{ duplicates: "no" }, 'manifest.duplicates must be one of true, false, and is "no"'],
    [{ duplicates: undefined }, "manifest.duplicates must be one of true, false, and is undefined"],
    [{ kinds: { ...manifest.kinds, notify: true } }, "manifest.kinds.notify must be one of"],
    [{ kinds: { ...manifest.kinds, shout: "native" } }, "manifest.kinds.shout is not a key of a manifest"],
    [
      { limits: { ...manifest.limits, maxCalls: 0 } },
      "manifest.limits.maxCalls must be a positive whole number, and is 0",
    ],
    [{ limits: { ...manifest.limits, maxCalls: 1.5 } }, "manifest.limits.maxCalls must be a positive whole number"],
    [{ limits: null }, "manifest.limits must be an object, and is null"],
    [{ broker: false }, "manifest.broker broker must be an object"],
    [{ broker: { ...broker, overflow: "explode" } }, "broker.overflow must be one of"],
    [{ retries: true }, "manifest.retries is not a key of a manifest"],
  ])("with %j is not sound, and says why", (change, problem) => {
    const problems = manifestProblems({ ...manifest, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it.each([undefined, null, 5, "native"])("is not %j", (value) => {
    expect(manifestProblems(value)).toHaveLength(1);
  });
});
