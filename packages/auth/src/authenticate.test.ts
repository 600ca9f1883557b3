import { type LogEntry, ParleyError, type Reply } from "@parley/core";
import {
  type CallKind,
  Context,
  createCall,
  createEnvelope,
  createRuntime,
  type Envelope,
  type OwnedCall,
  ownCall,
  type Peer,
  systemRuntime,
} from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { caller, shown } from "../test/callers.ts";
import { type AuthenticateOptions, authenticate } from "./authenticate.ts";
import { apiKeys, type Identity, identityOf, type Verifier } from "./index.ts";

const alice: Identity = { principal: "alice", roles: ["reader"] };
const byKey = apiKeys([{ key: "good", ...alice }]);

/** A clock that is moved by hand, on both its faces. */
function clock() {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const runtime = createRuntime({
    ...systemRuntime,
    now: () => now,
    date: () => 1_000_000 + now,
    setTimer(run, delayMs) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  });
  const advance = (byMs: number): void => {
    now += byMs;
    for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.run();
  };
  return { runtime, advance, timers };
}

function open(context: Context, kind: CallKind = "request"): OwnedCall {
  return createCall({ kind, message: createEnvelope({ kind, type: "any.operation.v1", source: "/test" }), context });
}

/** An authenticator before a handler that notes what it is called with. */
function stage(verify: readonly Verifier[], options: Partial<AuthenticateOptions> = {}) {
  const ran: Context[] = [];
  const told: LogEntry[] = [];
  const invoke = authenticate({ verify, log: (entry) => told.push(entry), ...options })(async ({ context }) => {
    ran.push(context);
    return {};
  });
  const ends = async (context: Context, kind?: CallKind): Promise<unknown> => {
    const call = open(context, kind);
    try {
      return await invoke(call);
    } catch (thrown) {
      return thrown;
    } finally {
      call.settle();
    }
  };
  return { ran, told, ends };
}

describe("a caller who is known", () => {
  it("is named to the handler, and what it showed is gone by then", async () => {
    const { ran, ends } = stage([byKey]);
    const peer: Peer = { transport: "test", address: "here:1", presented: shown({ "x-api-key": "good" }) };
    await ends(new Context(peer));
    const [context] = ran;
    expect(context?.peer).toEqual({ transport: "test", address: "here:1", principal: "alice", invoke: undefined });
    expect([context?.presented, context && identityOf(context)]).toMatchObject([undefined, alice]);
  });

  it("is the same peer in all its calls on a connection", async () => {
    const { ran, ends } = stage([byKey]);
    const peer: Peer = { transport: "test", presented: shown({ "x-api-key": "good" }) };
    await ends(new Context(peer));
    await ends(new Context(peer));
    expect(ran[0]?.peer).toBe(ran[1]?.peer);
  });

  it("is so by the first verifier that knows it, whatever those before said", async () => {
    const { ran, told, ends } = stage([
      () => ({ refused: "no" }),
      () => undefined,
      byKey,
      () => ({ principal: "eve" }),
    ]);
    await ends(caller({ "x-api-key": "good" }));
    expect([ran[0]?.peer?.principal, told]).toEqual(["alice", []]);
  });

  it("stays so in a further part of its call", async () => {
    const { ran, ends } = stage([byKey]);
    const context = caller({ "x-api-key": "good" });
    await ends(context);
    await ends(context);
    expect(ran.length).toBe(2);
  });

  it("is asked for with every call where each brings its own, and once a minute where the connection does", async () => {
    const { runtime, advance } = clock();
    let asked = 0;
    let lives = true;
    const verify: Verifier = () => {
      asked++;
      return lives ? alice : { refused: "taken back" };
    };
    const { ran, ends } = stage([verify], { runtime });
    const peer: Peer = { transport: "test", presented: shown({}) };
    for (let n = 0; n < 3; n++) await ends(new Context(peer, false, shown({})));
    expect(asked).toBe(3);
    for (let n = 0; n < 3; n++) await ends(new Context(peer));
    expect(asked).toBe(4);
    lives = false;
    advance(59_999);
    await ends(new Context(peer));
    expect(ran.length).toBe(7);
    advance(1);
    expect(await ends(new Context(peer))).toMatchObject({ code: "unauthenticated" });
    expect(ran.length).toBe(7);
  });
});

it("a verifier without its list is refused", () => {
  const options = { verify: async () => undefined } as unknown as Parameters<typeof authenticate>[0]; // without types
  expect(() => authenticate(options)).toThrow("needs a list of verifiers");
});

describe("a caller who is not known", () => {
  it.each<[string, Context]>([
    ["shows nothing", caller()],
    ["shows what is wrong", caller({ "x-api-key": "bad" })],
    ["shows two of them", caller({ "x-api-key": ["good", "good"] })],
    ["shows something good, and two tokens", caller({ "x-api-key": "good", authorization: ["Bearer a", "Bearer b"] })],
    ["shows what nobody reads", caller({ cookie: "x" })],
    ["has no peer", new Context()],
    ["only claims to be somebody", new Context({ transport: "test", principal: "alice" })],
    ["ran out", caller({ "x-old-key": "old" })],
  ])("%s is told the same as all others, and nothing runs", async (_, context) => {
    const old = apiKeys([{ key: "old", principal: "alice", expiresAt: 1 }], { header: "x-old-key" });
    const { ran, ends } = stage([byKey, old]);
    const error = (await ends(context)) as ParleyError;
    expect(error).toMatchObject({ code: "unauthenticated", outcome: "not-sent", details: undefined });
    expect([error.message, ran]).toEqual(["who calls is not known: no credential, or none that is good", []]);
  });

  it("is told to the log with why, and without what it showed", async () => {
    const { told, ends } = stage([byKey]);
    await ends(caller({ "x-api-key": "canary" }, { transport: "test", address: "there:1" }));
    expect(told).toMatchObject([
      {
        level: "warn",
        event: "caller-refused",
        fields: { reason: "unknown API key", transport: "test", address: "there:1" },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain("canary");
  });

  it("is not told apart from one who is, while that cannot be verified", async () => {
    const down = (): never => {
      throw new Error("canary: the database is away");
    };
    const { ran, told, ends } = stage([down, byKey]);
    const error = await ends(caller({ "x-api-key": "bad" }));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", retryAfterMs: 1_000 });
    expect(String(error)).not.toContain("canary");
    expect(told).toMatchObject([{ event: "verifier-failed" }]);
    await ends(caller({ "x-api-key": "good" }));
    expect(ran.length).toBe(1);
  });
});

it("lets a process call its own agent", async () => {
  const { ran, ends } = stage([]);
  const context = new Context();
  context.set(ownCall, true);
  await ends(context);
  expect(ran).toEqual([context]);
});

describe("when a credential runs out", () => {
  const passing = { principal: "alice", expiresAt: 1_000_000 + 5_000 };

  it("no further call runs on a connection that was let in with it", async () => {
    const { runtime, advance } = clock();
    const { ran, ends } = stage([() => passing], { runtime });
    const peer: Peer = { transport: "test", presented: shown({}) };
    await ends(new Context(peer));
    advance(4_999);
    await ends(new Context(peer));
    advance(1);
    expect(await ends(new Context(peer))).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    expect(ran.length).toBe(2);
  });

  it("one whose end cannot be read has run out", async () => {
    const { ends, ran } = stage([() => ({ principal: "alice", expiresAt: Number.NaN })]);
    expect(await ends(caller())).toMatchObject({ code: "unauthenticated" });
    expect(ran).toEqual([]);
  });

  it.each(["server-stream", "bidi-stream", "subscribe", "client-stream"] as const)(
    "a %s is given up, and leaves no timer",
    async (kind) => {
      const { runtime, advance, timers } = clock();
      const begun: OwnedCall[] = [];
      const invoke = authenticate({ verify: [() => passing], runtime })(async (call) => {
        begun.push(call as OwnedCall);
        const ended = new Promise<never>((_, reject) => call.onAbort({ callAborted: reject }));
        ended.catch(() => {});
        if (kind === "client-stream") return ended;
        return { output: items(ended) };
      });
      const call = open(caller(), kind);
      const reading = invoke(call).then(async ({ output }: Reply) => {
        for await (const _ of output ?? []);
      });
      await new Promise(setImmediate);
      advance(5_010);
      const error = await reading.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "unauthenticated" });
      expect([begun[0]?.aborted, call.aborted]).toEqual([error, undefined]);
      call.settle();
      await new Promise(setImmediate);
      expect(timers.size).toBe(0);
    },
  );

  it("a stream that is over before is not heard of again", async () => {
    const { runtime, timers } = clock();
    const invoke = authenticate({ verify: [() => passing], runtime })(async () => ({ output: items() }));
    const call = open(caller(), "server-stream");
    const { output } = await invoke(call);
    for await (const _ of output ?? []);
    call.settle();
    await new Promise(setImmediate);
    expect([timers.size, runtime.deadlines.size]).toEqual([0, 0]);
  });

  it("a call that fails by itself fails as it does", async () => {
    const { runtime } = clock();
    const own = new ParleyError("aborted", "by itself");
    const invoke = authenticate({ verify: [() => passing], runtime })(() => Promise.reject(own));
    const call = open(caller(), "server-stream");
    await expect(invoke(call)).rejects.toBe(own);
    call.settle();
    expect(runtime.deadlines.size).toBe(0);
  });
});

async function* items(after?: Promise<never>): AsyncGenerator<Envelope> {
  yield createEnvelope({ kind: "item", type: "any.operation.v1", source: "/test" });
  await after;
}
