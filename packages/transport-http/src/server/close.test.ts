import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Handler, HELLO, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, collect, echo, failure, item, newCall, pair, rawSocket } from "../../test/pair.ts";
import { http } from "../index.ts";

/** A handler whose calls of `text.wait.v1` end when they are let go. */
function waiting(): { readonly handler: Handler; readonly begun: Promise<void>; letGo(): void } {
  let letGo = (): void => {};
  let begin = (): void => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return {
    begun,
    letGo: () => letGo(),
    async handler(one) {
      if (one.message.type !== "text.wait.v1") return echo()(one);
      begin();
      await released;
      return { message: reply(one.message, "/agent", "done") };
    },
  };
}

test("closing lets what is under way end, and refuses what is new as not sent", async () => {
  const { handler, begun, letGo } = waiting();
  const listener = await http().listen(new URL("http://127.0.0.1:0"), handler);
  const kept = await rawSocket(listener.url);
  kept.socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await kept.until("200 OK");
  const connection = await http().connect(listener.url);
  const answer = call({ connection }, "request", { type: "text.wait.v1" });
  await begun;
  // A connection that is busy stays open, and says what is going on to whoever uses it next.
  const busy = await rawSocket(listener.url);
  busy.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
  );
  await busy.until("100 Continue");
  const closed = listener.close({ graceMs: 5_000 });
  expect(listener.close()).toBe(closed);
  busy.socket.write("1GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  expect(await busy.until("200 OK")).toContain("Connection: close");
  letGo();
  expect((await answer).message?.data).toBe("done");
  await closed;
  await kept.closed;
  await busy.closed;
  expect(await failure(call({ connection }, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  await connection.close();
});

test("while it drains, a listener refuses calls and says that it is not well", async () => {
  const { handler, begun, letGo } = waiting();
  await using it = await pair(handler);
  const answer = call(it, "request", { type: "text.wait.v1" });
  await begun;
  const socket = await rawSocket(it.url);
  // The head of a request has arrived before closing begins, so that its connection is not idle.
  socket.socket.write("POST /text.echo.v1 HTTP/1.1\r\n");
  await it.connection.ping();
  const closed = it.listener.close();
  socket.socket.write("Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1");
  const refused = await socket.closed;
  expect(refused).toMatch(/^HTTP\/1.1 503/);
  expect(refused).toContain('"outcome":"not-sent"');
  letGo();
  await answer;
  await closed;
});

test("what does not end within the grace fails, streams and requests alike, and closing is over", async () => {
  const reasons: unknown[] = [];
  await using it = await pair((one) => {
    if (one.message.type === HELLO) return echo()(one);
    one.onAbort({ callAborted: ({ code }) => reasons.push(code) });
    if (one.kind === "request") return new Promise(() => {});
    return {
      output: (async function* () {
        yield item(one, 1, 1);
        await new Promise(() => {});
      })(),
    };
  });
  const { output } = await call(it, "server-stream");
  const answers = [failure(call(it, "request")), failure(collect(output))];
  await expect.poll(() => it.listener.stats().openCalls).toBe(2);
  const start = performance.now();
  await it.listener.close({ graceMs: 100 });
  expect(performance.now() - start).toBeLessThan(3_000);
  for (const answer of answers) expect(await answer).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(reasons).toEqual(["unavailable", "unavailable"]);
});

test("a peer that never reads or closes does not hold up closing", async () => {
  await using it = await pair((one) => {
    if (one.message.type === HELLO) return echo({ "text.echo": "server-stream" })(one);
    return {
      output: (async function* () {
        for (let seq = 1; ; seq++) yield item(one, seq, "x".repeat(10_000));
      })(),
    };
  });
  const stalled = await rawSocket(it.url);
  stalled.socket.pause();
  stalled.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1",
  );
  await expect.poll(() => it.listener.stats().openCalls).toBe(1);
  const start = performance.now();
  await it.listener.close({ graceMs: 50 });
  expect(performance.now() - start).toBeLessThan(3_000);
  stalled.socket.destroy();
});

test("closing a connection ten times over lets calls end, then fails them, and refuses new ones", async () => {
  const { handler, begun, letGo } = waiting();
  await using it = await pair(handler);
  const ends = call(it, "request", { type: "text.wait.v1" });
  await begun;
  const closings = Array.from({ length: 10 }, () => it.connection.close());
  expect(it.connection.state).toBe("draining");
  expect(await failure(call(it, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  letGo();
  expect((await ends).message?.data).toBe("done");
  await Promise.all(closings);
  expect([it.connection.state, await it.connection.closed]).toEqual(["closed", undefined]);
  expect(await failure(it.connection.ping())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a call that outlasts the grace of its connection fails with an unknown outcome", async () => {
  const { handler, begun } = waiting();
  await using it = await pair(handler);
  const answer = failure(it.connection.call(newCall("request", { type: "text.wait.v1" })));
  await begun;
  await it.connection.close({ graceMs: 20 });
  expect(await answer).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("five hundred connections come and go, and nothing of them stays", async () => {
  const listener = await http().listen(new URL("http://127.0.0.1:0"), echo());
  for (let round = 0; round < 50; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using connection = await http().connect(listener.url);
        await call({ connection }, "request");
      }),
    );
  }
  await expect
    .poll(() => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length)
    .toBeLessThan(5);
  await listener.close();
});

test("a process whose connections and listeners are closed exits by itself", async () => {
  const child = spawn(process.execPath, [new URL("../../test/exits.ts", import.meta.url).pathname], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const start = performance.now();
  let closedAt = start;
  child.stdout?.on("data", (text: Buffer) => {
    if (text.includes("closed")) closedAt = performance.now();
  });
  const [code] = await once(child as ChildProcess, "exit");
  expect(code).toBe(0);
  expect(performance.now() - closedAt).toBeLessThan(3_000);
});
