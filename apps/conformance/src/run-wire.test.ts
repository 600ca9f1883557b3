import { createServer } from "node:net";
import { type Connection, type Manifest, memory, type Transport } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import type { Result } from "./result.ts";
import { runWire } from "./run-wire.ts";
import type { Scenario } from "./scenario.ts";
import { selectScenarios } from "./scenarios/index.ts";
import type { Subject } from "./subject.ts";
import { exitCodeOf } from "./verdict.ts";

const some = selectScenarios(["RR-01", "RR-05", "SS-01", "HS-04", "PS-01"]);

function subjectOf(change: (transport: Transport) => unknown): Subject {
  return {
    name: "subject",
    url: "memory://",
    tapping: "in-process",
    transport: ({ tap }) => change(memory({ tap })) as Transport, // what a careless author might export
  };
}

async function resultsOf(subject: Subject, scenarios: readonly Scenario[] = some, repeat = 1): Promise<Result[]> {
  const results: Result[] = [];
  await runWire(subject, { scenarios, seed: "test", scale: 0.1, repeat, onResult: (result) => results.push(result) });
  return results;
}

/** Nothing passes, every scenario has a result, and the command would not end with 0. */
function neverClean(results: readonly Result[], verdict: Result["verdict"]): void {
  expect(results.map((result) => result.verdict)).toEqual(some.map(() => verdict));
  expect(exitCodeOf(results)).toBeGreaterThan(0);
}

describe("a subject that does not work", () => {
  it("is an error when transport() throws, or gives nothing", async () => {
    const throwing = subjectOf(() => {
      throw new Error("no such option");
    });
    const results = await resultsOf(throwing);
    neverClean(results, "error");
    expect(results[0]?.message).toContain("no such option");
    neverClean(await resultsOf(subjectOf(() => undefined)), "error");
    neverClean(await resultsOf(subjectOf(() => ({}))), "error");
  });

  it("fails everything when connect() throws, resolves with nothing, or hangs", async () => {
    const broken: readonly ((transport: Transport) => unknown)[] = [
      (transport) => ({
        ...transport,
        connect: () => {
          throw new Error("not today");
        },
      }),
      (transport) => ({ ...transport, connect: async () => undefined }),
      (transport) => ({ ...transport, connect: () => new Promise(() => {}) }),
    ];
    for (const change of broken) neverClean(await resultsOf(subjectOf(change)), "fail");
  });

  it("fails everything when listen() resolves with nothing, or hangs", async () => {
    neverClean(await resultsOf(subjectOf((transport) => ({ ...transport, listen: async () => undefined }))), "fail");
    neverClean(
      await resultsOf(subjectOf((transport) => ({ ...transport, listen: () => new Promise(() => {}) }))),
      "fail",
    );
  });

  it("fails whatever makes calls when calls resolve with nothing, hang, or fail with something else than a ParleyError", async () => {
    const calls: readonly (() => unknown)[] = [
      async () => undefined,
      async () => ({}),
      () => new Promise(() => {}),
      async () => {
        throw new TypeError("what?");
      },
    ];
    for (const call of calls) {
      const results = await resultsOf(
        subjectOf((transport) => ({ ...transport, connect: connecting(transport, call) })),
      );
      expect(results.filter(({ scenario }) => scenario !== "HS-04").map(({ verdict }) => verdict)).toEqual([
        "fail",
        "fail",
        "fail",
        "fail",
      ]);
    }
  });
});

describe("a manifest", () => {
  it("with a missing or an unknown key is an error before any scenario runs", async () => {
    const { wildcards: _, ...rest } = memory().manifest;
    const results = await resultsOf(subjectOf((transport) => ({ ...transport, manifest: { ...rest, speed: 9 } })));
    neverClean(results, "error");
    expect(results[0]?.message).toMatch(/G-02: .*speed is not a key.*wildcards is missing/);
  });

  it("that declares nothing is an error, not an empty success", async () => {
    const kinds = Object.fromEntries(Object.keys(memory().manifest.kinds).map((kind) => [kind, "none"]));
    neverClean(
      await resultsOf(subjectOf((transport) => ({ ...transport, manifest: { ...transport.manifest, kinds } }))),
      "error",
    );
  });

  it("that declares a kind absent is believed when the wire refuses it", async () => {
    const results = await resultsOf(
      subjectOf((transport) => without(transport, "notify", refusing)),
      selectScenarios(["RR-05"]),
    );
    expect(results[0]).toMatchObject({ verdict: "unsupported", message: expect.stringContaining("kinds.notify") });
  });

  it("that declares a kind absent which works is under-declared, and fails", async () => {
    const results = await resultsOf(
      subjectOf((transport) => without(transport, "notify")),
      selectScenarios(["RR-05"]),
    );
    expect(results[0]).toMatchObject({ verdict: "fail", message: expect.stringContaining("under-declared") });
  });

  it("that declares a kind absent which is dropped silently fails", async () => {
    const silent = subjectOf((transport) => without(transport, "notify", () => new Promise(() => {})));
    const results = await resultsOf(silent, selectScenarios(["RR-05"]));
    expect(results[0]).toMatchObject({ verdict: "fail", message: expect.stringContaining("silently") });
  });

  it("that declares a capability absent which is refused otherwise than it must be fails", async () => {
    const other = subjectOf((transport) =>
      without(transport, "notify", async () => {
        const { ParleyError } = await import("@parley/core");
        throw new ParleyError("internal", "oops");
      }),
    );
    expect((await resultsOf(other, selectScenarios(["RR-05"])))[0]?.verdict).toBe("fail");
  });

  it("that hides calls back and wildcards which work is under-declared", async () => {
    const modest = (change: Partial<Manifest>) =>
      subjectOf((transport) => ({ ...transport, manifest: { ...transport.manifest, ...change } }));
    for (const [change, id] of [
      [{ serverInitiated: false }, "RR-06"],
      [{ wildcards: false }, "PS-05"],
      [{ cancel: "local" }, "DL-04"],
    ] as const) {
      const [result] = await resultsOf(modest(change), selectScenarios([id]));
      expect(result).toMatchObject({ verdict: "fail", message: expect.stringContaining("under-declared") });
    }
  });
});

describe("a verdict", () => {
  const scenario = (run: Scenario["run"], more: Partial<Scenario> = {}): Scenario => ({
    id: "RR-01",
    group: "RR",
    level: "must",
    title: "For a test.",
    needs: {},
    mutants: [],
    run,
    ...more,
  });
  const sound = subjectOf((transport) => transport);

  it("of pass needs two witnesses (G-07)", async () => {
    const [one] = await resultsOf(sound, [scenario(async ({ caller }) => caller.equal("it", 1, 1))]);
    expect(one).toMatchObject({ verdict: "error", message: expect.stringContaining("G-07") });
    const [two] = await resultsOf(sound, [
      scenario(async ({ caller, wire }) => {
        caller.equal("it", 1, 1);
        wire.ok("it", true);
      }),
    ]);
    expect(two).toMatchObject({ verdict: "pass", witnesses: ["caller", "wire"] });
  });

  it("is an error, not a failure of the wire, when the scenario itself breaks", async () => {
    const [result] = await resultsOf(sound, [
      scenario(async () => {
        throw new TypeError("a typo in the suite");
      }),
    ]);
    expect(result).toMatchObject({ verdict: "error", message: expect.stringContaining("a typo in the suite") });
  });

  it("is non-strict when a SHOULD does not hold", async () => {
    const [result] = await resultsOf(sound, [
      scenario(async ({ caller }) => caller.equal("it", 1, 2), { level: "should" }),
    ]);
    expect(result?.verdict).toBe("non-strict");
  });

  it("says what was expected and observed, and what happened", async () => {
    const [result] = await resultsOf(sound, [
      scenario(async (env) => {
        await env.connect();
        env.caller.equal("the answer", { n: 1 }, { n: 2 });
      }),
    ]);
    expect(result?.message).toBe("caller: the answer\n  expected { n: 2 }\n  observed { n: 1 }");
    expect(result?.history?.some(({ lane }) => lane === "wire")).toBe(true);
  });

  it("is a failure when a scenario leaves something behind (G-08)", async () => {
    const server = createServer();
    const [result] = await resultsOf(sound, [
      scenario(async ({ caller, wire }) => {
        caller.ok("it", true);
        wire.ok("it", true);
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      }),
    ]);
    server.close();
    expect(result).toMatchObject({ verdict: "fail", message: expect.stringContaining("1 more TCPServerWrap") });
  });

  it("of a flake is a failure that says how often it passed; it is never retried to green", async () => {
    let run = 0;
    const flaky = scenario(async ({ caller, wire }) => {
      wire.ok("it", true);
      caller.equal("the run", ++run === 2, false);
    });
    const [result] = await resultsOf(sound, [flaky], 3);
    expect(result).toMatchObject({
      verdict: "fail",
      runs: { passed: 2, total: 3 },
      message: expect.stringContaining("passed 2 of 3 runs"),
    });
  });
});

function connecting(transport: Transport, call: () => unknown): Transport["connect"] {
  return async (url, options) => {
    const connection = await transport.connect(url, options);
    return replaced(connection, call as Connection["call"]); // broken on purpose
  };
}

function replaced(connection: Connection, call: Connection["call"]): Connection {
  return {
    call,
    hello: connection.hello,
    state: connection.state,
    closed: connection.closed,
    stats: () => connection.stats(),
    ping: () => connection.ping(),
    close: (options) => connection.close(options),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** The transport with a kind declared absent, and `instead` in place of calls of it. */
function without(transport: Transport, kind: "notify", instead?: () => Promise<never>): Transport {
  return {
    ...transport,
    manifest: { ...transport.manifest, kinds: { ...transport.manifest.kinds, [kind]: "none" } },
    async connect(url, options) {
      const connection = await transport.connect(url, options);
      return replaced(connection, (call) => (call.kind === kind && instead ? instead() : connection.call(call)));
    },
  };
}

async function refusing(): Promise<never> {
  const { ParleyError } = await import("@parley/core");
  throw new ParleyError("unimplemented", "this wire takes no notifications", { outcome: "not-sent" });
}
