import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { call, collect, echo, item, items, send } from "../../test/pair.ts";
import { createHttpHandler, http } from "../index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** A server with routes of its own. */
async function own(
  listener: RequestListener = (request, response) => response.end(`own ${request.url}`),
): Promise<{ readonly server: Server; readonly url: URL }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

const JSON_BODY = { "content-type": "application/json" };

test("Parley lives beside the routes of a server that has its own", async () => {
  const { server, url } = await own();
  const listener = await http({ server }).listen(url, echo({ "text.echo": "request" }));
  expect(listener.url.href).toBe(url.href);
  const connection = await http().connect(listener.url);
  expect((await call({ connection }, "request", { data: 1 })).message?.data).toBe(1);
  expect((await send(url, { path: "/text.echo.v1", headers: JSON_BODY, body: "2" })).text).toBe("2");
  for (const [method, path] of [
    ["GET", "/"],
    ["GET", "/page"],
    ["POST", "/login"],
    ["POST", "/"],
    ["GET", "/healthz"],
  ] as const) {
    expect((await send(url, { method, path, headers: JSON_BODY })).text).toBe(`own ${path}`);
  }
  await connection.close();
  await listener.close();
  expect(server.listening).toBe(true);
  expect((await send(url, { path: "/text.echo.v1", headers: JSON_BODY, body: "2" })).text).toBe("own /text.echo.v1");
});

test("beneath a path of its own Parley answers everything, and two agents share a server", async () => {
  const { server, url } = await own();
  const [one, two] = await Promise.all([
    http({ server }).listen(new URL("/agents", url), echo()),
    http({ server }).listen(new URL("/agents/two", url), (call) => ({
      output: (async function* () {
        yield item(call, 1, "two");
      })(),
      ...echo()(call),
    })),
  ]);
  expect((await send(url, { path: "/agents/text.echo", headers: JSON_BODY, body: "1" })).text).toBe("1");
  expect((await send(url, { method: "GET", path: "/agents/healthz" })).status).toBe(200);
  expect((await send(url, { path: "/agents/a/b", headers: JSON_BODY })).status).toBe(404);
  expect((await send(url, { path: "/agentsmith", headers: JSON_BODY })).text).toBe("own /agentsmith");
  const connection = await http().connect(two.url);
  expect(await collect((await call({ connection }, "bidi-stream", { input: items(1) })).output)).toEqual(["two"]);
  await connection.close();
  await one.close();
  expect((await send(url, { path: "/agents/text.echo", headers: JSON_BODY, body: "1" })).text).toBe(
    "own /agents/text.echo",
  );
  expect((await send(url, { path: "/agents/two/text.echo", headers: JSON_BODY, body: "1" })).text).toBe("1");
  await two.close();
});

test("a server that does not listen yet can be mounted on, and the address is known when it does", async () => {
  const server = createServer();
  const listener = await http({ server }).listen(new URL("http://127.0.0.1:0/agents"), echo());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => server.close());
  expect(listener.url.href).toBe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/agents`);
  expect((await send(listener.url, { path: "/agents/text.echo.v1", headers: JSON_BODY, body: "1" })).text).toBe("1");
  expect((await send(listener.url, { path: "/elsewhere" })).status).toBe(404);
  await listener.close();
});

test("frameworks hand requests over, cut to the path they mount at", async () => {
  const parley = createHttpHandler(echo({ "text.echo": "request" }));
  // As Express and Connect do it.
  const { url } = await own((request, response) => {
    if (!request.url?.startsWith("/agents")) return void response.end("own");
    request.url = request.url.slice("/agents".length) || "/";
    parley.handle(request, response);
  });
  const connection = await http().connect(new URL("/agents", url));
  expect((await call({ connection }, "request", { data: 1 })).message?.data).toBe(1);
  expect((await send(url, { path: "/agents/text.echo", headers: JSON_BODY, body: "2" })).text).toBe("2");
  expect((await send(url, { path: "/" })).text).toBe("own");
  expect(parley.stats()).toMatchObject({ openCalls: 0, refusedMessages: 0 });
  await parley.close();
  expect(await send(url, { path: "/agents/text.echo", headers: JSON_BODY, body: "2" })).toMatchObject({
    status: 503,
    headers: { connection: "close" },
  });
  await connection.close();
});
