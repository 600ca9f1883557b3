import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@parley/core";
import { createCall, createEnvelope, type Handler, reply, type Transport } from "@parley/core/transport";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { expect, test } from "vitest";

/** Says by which transport it is called. */
const which: Handler = ({ message, context }) => ({ message: reply(message, "/agent", context.peer?.transport) });

async function ask(transport: Transport, url: URL): Promise<unknown> {
  await using connection = await transport.connect(url);
  const message = createEnvelope({ kind: "request", type: "test.which.v1", source: "/test" });
  const call = createCall({ kind: "request", message });
  const answer = await connection.call(call);
  call.settle();
  return answer.message?.data;
}

const transports = [http(), sse()];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.each([
  ["http", "sse"],
  ["sse", "http"],
])("%s and %s are served on one port, which is free when both are closed", async (...schemes) => {
  const port = await freePort();
  for (let round = 0; round < 2; round++) {
    await using server = await serve(
      which,
      schemes.map((scheme) => `${scheme}://127.0.0.1:${port}`),
      { transports },
    );
    const [first, second] = server.urls as [URL, URL];
    expect([first.port, second.port]).toEqual([String(port), String(port)]);
    for (const transport of transports) {
      expect(await ask(transport, new URL(`${transport.name}://127.0.0.1:${port}`))).toBe(transport.name);
    }
  }
});

test("one closes, and the other goes on at the same port", async () => {
  const [web, events] = transports as [Transport, Transport];
  const listener = await web.listen(new URL("http://127.0.0.1:0"), which);
  const other = await events.listen(new URL(`sse://${listener.url.host}`), which);
  await listener.close();
  expect(await ask(events, other.url)).toBe("sse");
  await other.close();
});

test("both mount on one server of one's own", async () => {
  const own = createServer((_request, response) => void response.end("the page"));
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  const { port } = own.address() as AddressInfo;
  const urls = [`http://127.0.0.1:${port}`, `sse://127.0.0.1:${port}`];
  {
    const mounted = [http({ server: own }), sse({ server: own })];
    await using server = await serve(which, urls, { transports: mounted });
    for (const [index, transport] of transports.entries()) {
      expect(await ask(transport, server.urls[index] as URL)).toBe(transport.name);
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("the page");
  }
  expect(await (await fetch(`http://127.0.0.1:${port}/test.which.v1`)).text()).toBe("the page");
  own.closeAllConnections();
  own.close();
});
