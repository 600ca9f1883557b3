import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Handler, reply } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { expect, test } from "vitest";
import { announcing, collect, make, rejection, stranger, webServer, wire } from "../test/wires.ts";
import { createSseHandler, sse } from "./index.ts";

const who: Handler = announcing({ "test.echo": "request" }, ({ message, context }) => ({
  message: reply(message, "/agent", [context.peer?.transport, context.peer?.principal ?? null]),
}));

test("on a server of one's own, what is for Parley goes there and the rest does not", async () => {
  using web = await webServer((_request, response) => void response.end("the page"));
  await using listener = await sse({ server: web.server }).listen(new URL(`sse://127.0.0.1:${web.port}`), who);
  await using connection = await sse().connect(listener.url);
  expect((await make({ connection }, "request")).message?.data).toEqual(["sse", null]);
  const page = await stranger(listener.url, { method: "GET", path: "/", headers: { accept: "text/event-stream" } });
  expect(await page.closed).toBe("the page");
});

test("requests that another server took are answered by a handler", async () => {
  await using parley = createSseHandler(who);
  using web = await webServer((request, response) => parley.handle(request, response));
  await using connection = await sse().connect(new URL(`sse://127.0.0.1:${web.port}`));
  expect((await make({ connection }, "request")).message?.data).toEqual(["sse", null]);
});

test("the same address twice is refused, and free again after the close", async () => {
  const listener = await sse().listen(new URL("sse://127.0.0.1:0"), who);
  const error = await rejection(sse().listen(listener.url, who));
  expect(error).toMatchObject({ code: "already_exists", outcome: "not-sent" });
  expect(error.message).toContain(listener.url.host);
  await listener.close();
  await (await sse().listen(listener.url, who)).close();
});

const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert, strangerKey } = certificates;

test("over TLS a caller is known by its certificate, and a stranger is turned away", async () => {
  const tls = { ca, cert: serverCert, key: serverKey, requestCert: true };
  await using listener = await sse({ tls }).listen(new URL("sses://127.0.0.1:0"), who);
  await using connection = await sse({ tls: { ca, cert: clientCert, key: clientKey } }).connect(listener.url);
  expect((await make({ connection }, "request")).message?.data).toEqual(["sse", "urn:agent:alice"]);
  const tried = sse({ tls: { ca, cert: strangerCert, key: strangerKey } }).connect(listener.url);
  expect(await rejection(tried)).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a stream belongs to who opened it: another who knows its name gets nothing", async () => {
  const server = createSecureServer({
    ca,
    cert: serverCert,
    key: serverKey,
    requestCert: true,
    rejectUnauthorized: false,
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`sses://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const secret: Handler = announcing({ "test.echo": "server-stream" }, ({ message }) => ({
    output: (async function* () {
      yield { ...reply(message, "/agent", "secret"), kind: "item" as const };
      await new Promise(() => {});
    })(),
  }));
  await using listener = await sse({ server }).listen(url, secret);
  const read = async (tls: object, last?: string): Promise<string> => {
    const { request } = await import("node:https");
    return new Promise((resolve, reject) => {
      const headers = {
        accept: "text/event-stream",
        ...(last === undefined ? { prefer: "resume" } : { "last-event-id": last }),
      };
      const method = last === undefined ? "POST" : "GET";
      const asked = request(
        {
          host: "127.0.0.1",
          port: listener.url.port,
          path: "/test.echo.v1",
          method,
          agent: false,
          ca,
          ...tls,
          headers: { ...headers, "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString();
            if (!text.includes("data:")) return;
            resolve(text);
            asked.destroy();
          });
        },
      );
      asked.on("error", reject);
      asked.end(method === "POST" ? "{}" : undefined);
    });
  };
  const alice = { cert: clientCert, key: clientKey };
  const name = /id: (.+)\.1/.exec(await read(alice))?.[1];
  for (const other of [{}, { cert: strangerCert, key: strangerKey }]) {
    const answer = await read(other, `${name}.0`);
    expect(answer).toContain("data_loss");
    expect(answer).not.toContain("secret");
  }
  expect(await read(alice, `${name}.0`)).toContain("secret");
  await listener.close({ graceMs: 0 });
  server.closeAllConnections();
  server.close();
});

test("an agent that closes lets its streams end, and says so to new calls", async () => {
  const go = Promise.withResolvers<void>();
  const handler: Handler = announcing({}, ({ message, kind }) =>
    kind === "request"
      ? { message: reply(message, "/agent") }
      : {
          output: (async function* () {
            await go.promise;
            yield { ...reply(message, "/agent", "last words"), kind: "item" as const };
          })(),
        },
  );
  await using it = await wire(handler);
  const { output } = await make(it, "server-stream");
  const closed = it.listener.close();
  expect(await rejection(make(it, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  go.resolve();
  expect(await collect(output)).toEqual(["last words"]);
  await closed;
});
