import { type Manifest, memory, type Transport } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { equivalence } from "./equivalence.ts";
import type { Result } from "./result.ts";
import { runWire } from "./run-wire.ts";
import { selectScenarios } from "./scenarios/index.ts";
import { canonical } from "./seen.ts";
import type { Subject } from "./subject.ts";
import { exitCodeOf } from "./verdict.ts";

/** What a session takes up again is not compared: it may go on, or not. */
const manifest: Manifest = { ...memory().manifest, resume: "none" };

async function resultsOf(name: string, change: (transport: Transport) => Transport = (same) => same) {
  const subject: Subject = {
    name,
    url: "memory://",
    tapping: "in-process",
    transport: ({ tap }) => change({ ...memory({ tap }), manifest }),
  };
  const results: Result[] = [];
  const scenarios = selectScenarios(["RR-01", "RR-07", "ENV-01", "SS-02", "SS-06", "ERR-03"]);
  await runWire(subject, { scenarios, seed: "same", scale: 0.5, onResult: (result) => results.push(result) });
  return results;
}

/** Passes every scenario, and yet says something that the other wires do not. */
const chatty = (inner: Transport): Transport => ({
  ...inner,
  async connect(url, options) {
    const connection = await inner.connect(url, options);
    const call: typeof connection.call = async (one) => {
      const reply = await connection.call(one);
      return reply.message ? { ...reply, message: { ...reply.message, chatty: "yes" } } : reply;
    };
    return {
      call,
      hello: connection.hello,
      state: connection.state,
      closed: connection.closed,
      stats: () => connection.stats(),
      ping: () => connection.ping(),
      close: (how) => connection.close(how),
      [Symbol.asyncDispose]: () => connection.close(),
    };
  },
});

describe("what both ends see of a scenario", () => {
  const manifests = { one: manifest, other: manifest };

  it("is the same on two wires that do the same, cuts, times and addresses notwithstanding", async () => {
    const found = equivalence([...(await resultsOf("one")), ...(await resultsOf("other"))], manifests);
    expect(found.map(({ scenario, differences }) => [scenario, differences])).toEqual(
      ["ENV-01", "RR-01", "RR-07", "SS-02", "SS-06", "ERR-03"].map((id) => [id, []]),
    );
  });

  it("differs where one wire says more, which names the call and decides the exit code", async () => {
    const results = [...(await resultsOf("one")), ...(await resultsOf("other", chatty))];
    expect(new Set(results.map(({ verdict }) => verdict))).toEqual(new Set(["pass"]));
    const found = equivalence(results, manifests);
    const first = found.find(({ scenario }) => scenario === "RR-01")?.differences[0];
    expect(first).toMatchObject({ transport: "other", call: 1 });
    expect(first?.here).toContain("request conformance.echo.v1: answered");
    expect(exitCodeOf(results)).toBe(0);
    expect(exitCodeOf(results, { equivalence: found })).toBe(1);
  });

  it("is not compared with a wire that lacks a kind of call", async () => {
    const { kinds } = memory().manifest;
    const lesser = { ...memory().manifest, kinds: { ...kinds, notify: "none" as const } };
    const results = [...(await resultsOf("one")), ...(await resultsOf("other"))];
    expect(equivalence(results, { one: memory().manifest, other: lesser })).toEqual([]);
  });

  it("is written the same way whatever the order of keys, and tells -0, bytes and large integers apart", () => {
    expect(canonical({ b: 1, a: [-0, 2n] })).toBe(canonical({ a: [-0, 2n], b: 1 }));
    expect(canonical(-0)).not.toBe(canonical(0));
    expect(canonical(2n)).not.toBe(canonical(2));
    expect(canonical(Uint8Array.of(1))).not.toBe(canonical("01"));
  });
});
