import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Call, HELLO, ParleyError, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, echo, failure, newCall, type Pair, pair } from "../../test/pair.ts";
import { http, httpLimits } from "../index.ts";

const batch = { batch: true };

/** A pair over a server that counts its requests. */
async function counted(handler: Parameters<typeof pair>[0]): Promise<Pair & { requests(): number }> {
  const server: Server = createServer();
  const listener = await http({ server }).listen(new URL("http://127.0.0.1:0/agent"), handler);
  let requests = 0;
  server.prependListener("request", () => requests++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
  const connection = await http(batch).connect(listener.url);
  return {
    listener,
    connection,
    url: listener.url,
    requests: () => requests - 1,
    async [Symbol.asyncDispose]() {
      await connection.close({ graceMs: 0 });
      await listener.close({ graceMs: 0 });
      server.close();
    },
  };
}

test("messages of one turn share a request, and each gets its own answer when it is ready", async () => {
  await using it = await counted(async (one) => {
    if (one.message.data === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
    if (one.message.data === "bad") throw new ParleyError("aborted", "bad", { details: 1 });
    return echo()(one);
  });
  const order: unknown[] = [];
  const calls = ["slow", ...Array.from({ length: 60 }, (_, index) => index), "bad"].map((data) =>
    call(it, "request", { data }),
  );
  const settled = await Promise.allSettled(
    calls.map(async (one) => {
      const { message } = await one;
      order.push(message?.data);
      return message?.data;
    }),
  );
  expect(settled.slice(0, -1).map((one) => one.status === "fulfilled" && one.value)).toEqual([
    "slow",
    ...Array.from({ length: 60 }, (_, index) => index),
  ]);
  expect(settled.at(-1)).toMatchObject({
    reason: { code: "aborted", message: "bad", details: 1, outcome: "rejected" },
  });
  expect(order.at(-1)).toBe("slow");
  expect(it.requests()).toBe(2);
});

test("one message alone, and long ones, go as they always do", async () => {
  await using it = await counted(echo());
  expect((await call(it, "request", { data: 1 })).message?.data).toBe(1);
  const long = "x".repeat(10_000);
  expect(
    (await Promise.all([call(it, "request", { data: long }), call(it, "request", { data: 2 })])).map(
      ({ message }) => message?.data,
    ),
  ).toEqual([long, 2]);
  expect(await Promise.all([call(it, "notify"), call(it, "publish", { attributes: { subject: "a" } })])).toEqual([
    {},
    {},
  ]);
  expect(it.requests()).toBe(4);
});

test("more than the peer takes at once, or calls of one id, go in several requests", async () => {
  await using it = await counted(echo());
  const answers = await Promise.all(Array.from({ length: 600 }, (_, data) => call(it, "request", { data })));
  expect(answers.map(({ message }) => message?.data)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  expect(it.requests()).toBe(19);
  const again = { attributes: { id: "same" } };
  expect(
    (await Promise.all([call(it, "request", { data: 1, ...again }), call(it, "request", { data: 2, ...again })])).map(
      ({ message }) => message?.data,
    ),
  ).toEqual([1, 2]);
});

test("one of a batch can be cancelled, and its handler is told, while the others go on", async () => {
  const begun: Call[] = [];
  const told: unknown[] = [];
  let letGo = (): void => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await using it = await counted(async (one) => {
    if (one.message.type === HELLO) return echo()(one);
    begun.push(one);
    one.onAbort({ callAborted: ({ code }) => told.push([one.message.data, code]) });
    await released;
    return { message: reply(one.message, "/agent", one.message.data) };
  });
  const calls = [1, 2, 3].map((data) => newCall("request", { data }));
  const answers = calls.map((one) => it.connection.call(one));
  await expect.poll(() => begun.length).toBe(3);
  const reason = new ParleyError("cancelled", "enough");
  calls[1]?.abort(reason);
  expect(await failure(answers[1] as Promise<unknown>)).toBe(reason);
  await expect.poll(() => told).toEqual([[2, "cancelled"]]);
  letGo();
  expect([(await answers[0])?.message?.data, (await answers[2])?.message?.data]).toEqual([1, 3]);
  // All that was asked for is answered, so that the request is over as well.
  await expect.poll(() => it.listener.stats().openCalls).toBe(0);
  expect(it.connection.stats().openCalls).toBe(0);
});

test("when all of a batch are cancelled its request is closed", async () => {
  const told: unknown[] = [];
  let begun = 0;
  await using it = await counted((one) => {
    if (one.message.type === HELLO) return echo()(one);
    begun++;
    one.onAbort({ callAborted: ({ code }) => told.push(code) });
    return new Promise(() => {});
  });
  const calls = [1, 2].map((data) => newCall("request", { data, timeoutMs: 60_000 }));
  const answers = calls.map((one) => failure(it.connection.call(one)));
  await expect.poll(() => begun).toBe(2);
  for (const one of calls) one.abort(new ParleyError("cancelled", "enough"));
  await Promise.all(answers);
  await expect.poll(() => told).toEqual(["cancelled", "cancelled"]);
});

test("a deadline ends a call of a batch on both sides", async () => {
  const told: unknown[] = [];
  await using it = await counted((one) => {
    if (one.message.type === HELLO) return echo()(one);
    if (one.message.data === "quick") return echo()(one);
    one.onAbort({ callAborted: ({ code }) => told.push(code) });
    return new Promise(() => {});
  });
  const [late, quick] = await Promise.all([
    failure(call(it, "request", { data: "late", timeoutMs: 50 })),
    call(it, "request", { data: "quick" }),
  ]);
  expect(late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  expect(quick.message?.data).toBe("quick");
  await expect.poll(() => told.length).toBe(1);
});

test("a batch that is cut leaves unknown outcomes, one that finds nobody not-sent", async () => {
  let begun = 0;
  await using it = await counted((one) => {
    if (one.message.type === HELLO) return echo()(one);
    begun++;
    return new Promise(() => {});
  });
  const answers = [1, 2].map((data) => failure(call(it, "request", { data })));
  await expect.poll(() => begun).toBe(2);
  await it.listener.close({ graceMs: 0 });
  for (const answer of answers) expect(await answer).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("a peer that takes no batches, or fewer calls, gets what it takes", async () => {
  await using it = await pair(
    echo(),
    { limits: { ...httpLimits, maxCalls: 2 } },
    { batch: true, limits: { ...httpLimits, maxCalls: 2 } },
  );
  const settled = await Promise.allSettled(Array.from({ length: 10 }, (_, data) => call(it, "request", { data })));
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  for (const one of settled)
    if (one.status === "rejected")
      expect(one.reason).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
});
