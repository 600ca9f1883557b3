import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import {
  agent,
  apiKey,
  basic,
  bearer,
  type Credentials,
  certificate,
  clientStream,
  connect,
  contract,
  type LogEntry,
  ParleyError,
  type Remote,
  request,
  serve,
  serverStream,
  topic,
} from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Wire, wires } from "../test/wires.ts";
import { apiKeys, authenticate, authorize, basicAuth, clientCertificate, identityOf, type Verifier } from "./index.ts";

const text = contract("text", {
  echo: request({ input: z.string(), output: z.string() }),
  secret: request({ input: z.string(), output: z.string() }),
  count: serverStream({ item: z.number() }),
  join: clientStream({ item: z.string(), output: z.string() }),
  status: topic({ path: "agents/{agent}/status", data: z.string() }),
  closed: topic({ path: "closed/{agent}", data: z.string() }),
});

/** A verifier of tokens whose names are those of their owners, as long as they are in the set. */
function tokens(good: Set<string>, expiresAt?: () => number | undefined): Verifier {
  return ({ presented }) => {
    const [header = ""] = presented?.header("authorization") ?? [];
    if (!header.startsWith("Bearer ")) return undefined;
    const token = header.slice(7);
    return good.has(token) ? { principal: token, expiresAt: expiresAt?.() } : { refused: "not in the set" };
  };
}

interface StageOptions {
  readonly verify: readonly Verifier[];
  readonly recheckMs?: number;
  readonly tls?: Parameters<Wire["transport"]>[0];
}

/** An agent that listens on a wire, and notes who calls it. */
async function stage(wire: Wire, { verify, recheckMs = 0, tls }: StageOptions) {
  const ran: string[] = [];
  const told: LogEntry[] = [];
  const log = (entry: LogEntry): void => void told.push(entry);
  const texts = agent(text, {
    echo(input, { context }) {
      ran.push(`${context.peer?.principal} ${input}`);
      if (context.presented) throw new Error("the handler sees what was shown");
      if (identityOf(context)?.principal !== context.peer?.principal) throw new Error("who is it?");
      return input;
    },
    secret: (input) => {
      ran.push(`secret ${input}`);
      return input;
    },
    async *count(_, call) {
      yield 1;
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    },
    async join(items) {
      let all = "";
      for await (const item of items) all += item;
      return all;
    },
  });
  const server = await serve(texts, tls ? wire.secureUrl : wire.url, {
    transports: [wire.transport(tls)],
    use: [
      authenticate({ verify, recheckMs, log }),
      authorize([{ operations: ["text.echo", "text.count", "text.join"], topics: ["agents/#"] }], { log }),
    ],
    log,
  });
  const [url] = server.urls as [URL];
  return { server, url, ran, told, log };
}

function dial(wire: Wire, url: URL, credentials?: Credentials, more: object = {}): Promise<Remote<typeof text>> {
  return connect(text, url, { transports: [wire.transport({ credentials })], reconnect: { baseMs: 1 }, ...more });
}

async function failure(promise: Promise<unknown>): Promise<ParleyError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof ParleyError) return thrown;
  throw new Error("failed otherwise, or not at all", { cause: thrown });
}

describe.each(wires)("over $name", (wire) => {
  it.each<[string, Credentials, string]>([
    ["a bearer token", bearer("alice"), "alice"],
    ["a token that takes a while", bearer(() => new Promise((done) => setTimeout(done, 5, "alice"))), "alice"],
    ["an API key", apiKey("key-of-bob"), "bob"],
    ["user and password", basic("carol", "päss: word"), "carol"],
  ])("%s says who calls", async (_, credentials, principal) => {
    const verify = [
      tokens(new Set(["alice"])),
      apiKeys([{ key: "key-of-bob", principal: "bob" }]),
      basicAuth([{ user: "carol", password: "päss: word" }]),
    ];
    const { server, url, ran } = await stage(wire, { verify });
    await using _server = server;
    await using remote = await dial(wire, url, credentials);
    expect(await Promise.all(["a", "b", "c"].map((one) => remote.echo(one)))).toEqual(["a", "b", "c"]);
    expect(ran.toSorted()).toEqual([`${principal} a`, `${principal} b`, `${principal} c`]);
    const items = (async function* () {
      yield "x";
      yield "y";
    })();
    expect(await remote.join(items)).toBe("xy");
  });

  it("a certificate says who calls", async () => {
    const { ca, serverCert, serverKey, clientCert, clientKey } = certificates;
    const tls = { tls: { cert: serverCert, key: serverKey, ca, requestCert: true } };
    const { server, url, ran } = await stage(wire, { verify: [clientCertificate()], tls });
    await using _server = server;
    await using remote = await dial(
      wire,
      url,
      certificate(() => ({ ca, cert: clientCert, key: clientKey })),
    );
    await remote.echo("a");
    expect(ran).toEqual(["urn:agent:alice a"]);
  });

  it.each<[string, Credentials | undefined]>([
    ["nothing", undefined],
    ["a wrong token", bearer("eve")],
    ["a wrong key", apiKey("eve")],
  ])("who shows %s is not let in, and nothing runs", async (_, credentials) => {
    const { server, url, ran } = await stage(wire, { verify: [tokens(new Set(["alice"])), apiKeys([])] });
    await using _server = server;
    expect(await failure(dial(wire, url, credentials))).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    expect(ran).toEqual([]);
  });

  it("what no rule allows is denied, of operations and topics", async () => {
    const { server, url, ran } = await stage(wire, { verify: [tokens(new Set(["alice"]))] });
    await using _server = server;
    await using remote = await dial(wire, url, bearer("alice"));
    const denied = { code: "permission_denied", outcome: "not-sent" };
    expect(await failure(remote.secret("a"))).toMatchObject(denied);
    expect(await failure(remote.closed.subscribe({ agent: "x" }))).toMatchObject(denied);
    if (wire.name !== "ws" && wire.name !== "grpc")
      expect(await failure(remote.closed.publish({ agent: "x" }, "a"))).toMatchObject(denied);
    expect(ran).toEqual([]);
  });

  it("a token that is taken back is renewed once, for all calls at once, and none is lost", async () => {
    const good = new Set(["first"]);
    const { server, url, ran } = await stage(wire, { verify: [tokens(good)] });
    await using _server = server;
    let current = "first";
    const renewed: string[] = [];
    const credentials = bearer(async (refused) => {
      if (refused === current) {
        current = "second";
        renewed.push(refused);
      }
      return current;
    });
    await using remote = await dial(wire, url, credentials);
    await remote.echo("a");
    good.delete("first");
    good.add("second");
    expect(await Promise.all(["b", "c", "d"].map((one) => remote.echo(one)))).toEqual(["b", "c", "d"]);
    expect(renewed).toEqual(["first"]);
    expect(ran.toSorted()).toEqual(["first a", "second b", "second c", "second d"]);
  });

  it("a token that is refused again is not asked for again and again", async () => {
    const good = new Set(["first"]);
    const { server, url, ran } = await stage(wire, { verify: [tokens(good)] });
    await using _server = server;
    let asked = 0;
    const credentials = bearer(() => {
      asked++;
      return "first";
    });
    await using remote = await dial(wire, url, credentials);
    await remote.echo("a");
    good.clear();
    const before = asked;
    const error = await failure(remote.echo("b"));
    expect(["unauthenticated", "unavailable"]).toContain(error.code);
    expect(asked - before).toBeLessThanOrEqual(3);
    expect(ran).toEqual(["first a"]);
  });

  it("one token only, once it is taken back, is told to the next call, and that does not run", async () => {
    const good = new Set(["first"]);
    const { server, url, ran } = await stage(wire, { verify: [tokens(good)] });
    await using _server = server;
    await using remote = await dial(wire, url, bearer("first"));
    await remote.echo("a");
    good.clear();
    for (const call of [remote.echo("b"), remote.secret("b")])
      expect(await failure(call)).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    expect(ran).toEqual(["first a"]);
    good.add("first");
    expect(await remote.echo("c")).toBe("c");
  });

  it("a stream ends when the credential does under which it began", async () => {
    const until = Date.now() + 300;
    const { server, url } = await stage(wire, { verify: [tokens(new Set(["alice"]), () => until)] });
    await using _server = server;
    await using remote = await dial(wire, url, bearer("alice"));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of remote.count()) seen.push(item);
    })();
    expect(await failure(reading)).toMatchObject({ code: "unauthenticated" });
    expect([seen, Date.now() >= until]).toEqual([[1], true]);
    expect(await failure(remote.echo("late"))).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
  });

  it("a subscription that is to last is made again under the next credential", async () => {
    const good = new Set(["first"]);
    let until: number | undefined = Date.now() + 300;
    const { server, url } = await stage(wire, { verify: [tokens(good, () => until)] });
    await using _server = server;
    const credentials = bearer((refused) => (refused === undefined && good.has("first") ? "first" : "second"));
    await using remote = await dial(wire, url, credentials);
    const gaps: ParleyError[] = [];
    const again = Promise.withResolvers<void>();
    const subscription = await remote.status.subscribe(
      { agent: "a" },
      {
        onGap(gap) {
          gaps.push(gap);
          again.resolve();
        },
      },
    );
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { data } of subscription) {
        seen.push(data);
        if (data === "after") break;
      }
    })();
    await server.topics.status.publish({ agent: "a" }, "before");
    good.delete("first");
    good.add("second");
    until = undefined;
    await Promise.race([again.promise, reading]);
    await server.topics.status.publish({ agent: "a" }, "after");
    await reading;
    expect([seen, gaps.map(({ code }) => code)]).toEqual([["before", "after"], ["data_loss"]]);
  });

  it("a subscription that is to last, made with a token that was taken back, is made once with the next", async () => {
    const good = new Set(["first"]);
    const { server, url } = await stage(wire, { verify: [tokens(good)] });
    await using _server = server;
    const credentials = bearer(() => [...good][0] ?? "");
    await using remote = await dial(wire, url, credentials);
    good.delete("first");
    good.add("second");
    const gaps: ParleyError[] = [];
    const subscription = await remote.status.subscribe({ agent: "a" }, { onGap: (gap) => gaps.push(gap) });
    await server.topics.status.publish({ agent: "a" }, "one");
    const seen: string[] = [];
    for await (const { data } of subscription) {
      seen.push(data);
      if (data === "two") break;
      expect(gaps).toEqual([]);
      good.delete("second");
      good.add("third");
      expect(await remote.echo("after")).toBe("after");
      await server.topics.status.publish({ agent: "a" }, "two");
    }
    // A call brings another credential of its own, or another connection, and that cuts the subscription: once.
    const cuts = wire.name === "ws" || wire.name === "grpc" ? 1 : 0;
    expect([seen, gaps.length]).toEqual([["one", "two"], cuts]);
  });

  it("credentials are in nothing that is printed or told", async () => {
    const canary = "canary-5d1c";
    const known: Verifier = ({ presented }) =>
      presented?.header("authorization")[0] === `Bearer ${canary}` ? { principal: "alice" } : undefined;
    const { server, url, told, log } = await stage(wire, { verify: [known] });
    await using _server = server;
    const printed: unknown[] = [told];
    for (const credentials of [bearer(canary), bearer(async () => canary), apiKey(canary), basic("ada", canary)]) {
      const transport = wire.transport({ credentials });
      printed.push(transport, credentials);
      const dialled = connect(text, url, { transports: [transport], log });
      const remote = await dialled.catch((error: unknown) => void printed.push(error));
      if (remote) {
        await using _remote = remote;
        for await (const _ of remote.count()) break;
        printed.push(remote.connection, await failure(remote.secret("a")));
      }
      const other = createServer((socket) => {
        socket.on("error", () => {}).on("data", () => socket.end("220 mail.example ESMTP\r\n"));
      }).listen(0, "127.0.0.1");
      await once(other, "listening");
      const elsewhere = new URL(url);
      elsewhere.port = String((other.address() as { port: number }).port);
      printed.push(await failure(connect(text, elsewhere, { transports: [transport], log, connectTimeoutMs: 2_000 })));
      other.close();
      await once(other, "close");
      printed.push(await failure(connect(text, elsewhere, { transports: [transport], log, connectTimeoutMs: 2_000 })));
    }
    const all = inspect(printed, { depth: 14, showHidden: true, maxStringLength: null, maxArrayLength: null });
    const forms = [canary, Buffer.from(`ada:${canary}`).toString("base64")];
    expect(all.split("\n").filter((line) => forms.some((form) => line.includes(form)))).toEqual([]);
    expect(all).toContain("caller-refused");
  });

  it("a credential that cannot be had fails the call, not the connection", async () => {
    const { server, url } = await stage(wire, { verify: [tokens(new Set(["alice"]))] });
    await using _server = server;
    const cause = new Error("vault sealed");
    let sealed = true;
    const credentials = bearer(() => {
      if (sealed) throw cause;
      return "alice";
    });
    expect(await failure(dial(wire, url, credentials))).toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
      message: "the function given to bearer() failed",
      cause,
    });
    sealed = false;
    await using remote = await dial(wire, url, credentials);
    sealed = true;
    // Where the connection is what is authenticated, nothing more is shown.
    const shows = wire.name !== "ws" && wire.name !== "grpc";
    if (shows)
      expect(await failure(remote.echo("a"))).toMatchObject({ code: "unavailable", outcome: "not-sent", cause });
    sealed = false;
    expect(await remote.echo("a")).toBe("a");
    expect(remote.connection.stats().openCalls).toBe(0);
  });

  it("waiting for a credential ends with the call, the dial, and their time", async () => {
    const { server, url } = await stage(wire, { verify: [tokens(new Set(["alice"]))] });
    await using _server = server;
    let waits = true;
    const credentials = bearer(() => (waits ? new Promise<string>(() => {}) : "alice"));
    expect(await failure(dial(wire, url, credentials, { connectTimeoutMs: 50 }))).toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    expect(await failure(dial(wire, url, credentials, { signal: AbortSignal.timeout(20) }))).toMatchObject({
      code: "cancelled",
      outcome: "not-sent",
    });
    waits = false;
    await using remote = await dial(wire, url, credentials);
    waits = true;
    if (wire.name === "ws" || wire.name === "grpc") return;
    expect(await failure(remote.echo("a", { timeoutMs: 50 }))).toMatchObject({ code: "deadline_exceeded" });
    expect(await failure(remote.echo("a", { signal: AbortSignal.timeout(20) }))).toMatchObject({ code: "cancelled" });
    expect(remote.connection.stats().openCalls).toBe(0);
  });

  it("two ways to say who calls are refused before anything is sent", async () => {
    const transport = wire.transport({ credentials: bearer("a"), headers: { Authorization: "Bearer b" } });
    const error = await failure(connect(text, wire.url.replace(":0", ":1"), { transports: [transport] }));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain("headers.authorization");
  });
});
