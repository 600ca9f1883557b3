import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { checkFetchHeaders } from "./fetch-headers.ts";
import { fetchSocket } from "./fetch-socket.ts";
import type { AnswerHeaders, HttpRequest, ResponseController } from "./socket.ts";

const cleanups: (() => unknown)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
}

const get: HttpRequest = { path: "/a.v1", method: "GET", headers: ["accept", "text/plain"] };

/** An exchange, and what it has told. */
function exchange(origin: string, request: HttpRequest = get, started?: (controller: ResponseController) => void) {
  const told: string[] = [];
  const ended = Promise.withResolvers<Error | undefined>();
  const begun = Promise.withResolvers<{ controller: ResponseController; status: number; headers: AnswerHeaders }>();
  let bytes = 0;
  const socket = fetchSocket(origin);
  socket.dispatch(request, {
    onRequestStart(controller) {
      told.push("start");
      started?.(controller);
    },
    onResponseStart(controller, status, headers) {
      told.push(`head ${status}`);
      begun.resolve({ controller, status, headers });
    },
    onResponseData(_controller, chunk) {
      bytes += chunk.length;
    },
    onResponseEnd() {
      told.push("end");
      ended.resolve(undefined);
    },
    onResponseError(_controller, failure) {
      told.push("error");
      ended.resolve(failure);
    },
  });
  return { socket, told, ended: ended.promise, begun: begun.promise, bytes: () => bytes };
}

test("an answer is told in its order, without the headers of what fetch has decoded", async () => {
  const text = gzipSync("x".repeat(1_000));
  const origin = await serving((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": text.length, "retry-after": "3" });
    response.end(text);
  });
  const { told, ended, begun, bytes } = exchange(origin);
  expect(await ended).toBeUndefined();
  expect(told).toEqual(["start", "head 200", "end"]);
  expect(bytes()).toBe(1_000);
  const { headers } = await begun;
  expect([headers["content-encoding"], headers["content-length"], headers["retry-after"]]).toEqual([
    undefined,
    undefined,
    "3",
  ]);
});

test("an answer that is paused is read no further, until it goes on", async () => {
  const piece = "x".repeat(64 * 1024);
  const pieces = 8;
  const released = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  const origin = await serving(async (_request, response) => {
    response.flushHeaders();
    await released.promise;
    // As much as the kernel keeps for a reader who takes nothing.
    for (let index = 1; index < pieces; index++) await new Promise((written) => response.write(piece, written));
    sent.resolve();
    response.end(piece);
  });
  const { begun, ended, bytes } = exchange(origin);
  const { controller } = await begun;
  controller.pause();
  released.resolve();
  await sent.promise;
  // Another answer is read meanwhile, whole.
  await exchange(origin).ended;
  // One read was under way already.
  expect(bytes()).toBeLessThan((pieces / 2) * piece.length);
  controller.resume();
  expect(await ended).toBeUndefined();
  expect(bytes()).toBe(pieces * piece.length);
});

test("who aborts is told at once, and of nothing after it; the server sees it go", async () => {
  const closed = Promise.withResolvers<void>();
  const origin = await serving((_request, response) => {
    response.writeHead(200).write("x");
    response.on("close", () => closed.resolve());
  });
  const { begun, told, ended } = exchange(origin);
  const { controller } = await begun;
  const reason = new Error("enough");
  controller.abort(reason);
  expect(told).toEqual(["start", "head 200", "error"]);
  controller.abort(new Error("again"));
  await closed.promise;
  expect(await ended).toBe(reason);
  expect(told).toHaveLength(3);
});

test("what is aborted as it starts is never sent", async () => {
  let requests = 0;
  const origin = await serving((_request, response) => {
    requests++;
    response.end();
  });
  const { told } = exchange(origin, get, (controller) => controller.abort(new Error("never mind")));
  expect(told).toEqual(["start", "error"]);
  await exchange(origin).ended;
  expect(requests).toBe(1);
});

test("a socket that is destroyed gives up what it does", async () => {
  const origin = await serving(() => {});
  const { socket, ended } = exchange(origin);
  await socket.destroy();
  expect(await ended).toMatchObject({ message: "the connection was closed" });
});

test("what becomes of a request is an error that says what can be known", async () => {
  const nobody = await serving(() => {});
  cleanups.pop()?.();
  expect(await exchange(nobody).ended).toMatchObject({ code: "unavailable", outcome: "unknown" });
  const moved = await serving((_request, response) => response.writeHead(307, { location: "/b" }).end());
  expect(await exchange(moved).ended).toMatchObject({
    code: "unavailable",
    outcome: "rejected",
    message: expect.stringContaining("a redirect, which is not followed"),
  });
  const cut = await serving((_request, response) => {
    response.writeHead(200).write("x", () => response.destroy());
  });
  const { told, ended } = exchange(cut);
  expect(await ended).toBeInstanceOf(Error);
  expect(told).toEqual(["start", "head 200", "error"]);
  const unwritable = exchange(moved, { ...get, headers: ["x-name", "a\nb"] });
  expect(await unwritable.ended).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
});

test("headers that HTTP does not know are refused", () => {
  expect(() => checkFetchHeaders({ "x-tenant": "a" })).not.toThrow();
  expect(() => checkFetchHeaders({ "x tenant": "a" })).toThrow(/cannot be written/);
});
