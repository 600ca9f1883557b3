import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketClient } from "@parley/transport-ws";
import { expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { browse, missing } from "../../../packages/transport-sse/test/browser.ts";

const page = `<!doctype html><script>
  const socket = new WebSocket(location.href.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return socket.send("the page read " + data);
    socket.send(new Uint8Array(data).reverse());
    socket.close(3000, "enough");
  };
</script>`;

it("a page in a browser is talked to, with a plain server passing messages on", async ({ skip }) => {
  const reason = missing("chromium");
  skip(reason !== undefined, reason);
  const server = createServer((_request, response) => response.end(page));
  const relay = new WebSocketServer({ server });
  const peers: WebSocket[] = [];
  const both = Promise.withResolvers<void>();
  relay.on("connection", (peer) => {
    const other = () => peers.find((one) => one !== peer);
    peer.on("message", (data, isBinary) => other()?.send(data, { binary: isBinary }));
    peer.on("close", (code, text) => other()?.close(code === 1006 ? 1011 : code, text));
    if (peers.push(peer) === 2) both.resolve();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await using _browser = await browse(`http://127.0.0.1:${port}/`);
  await using client = new WebSocketClient({
    url: `ws://127.0.0.1:${port}`,
    format: "any",
    reconnect: { finalCodes: [3000] },
  });
  await client.connect();
  await both.promise;
  await client.send("h\u00e9llo");
  expect(await client.receive()).toBe("the page read h\u00e9llo");
  const closed = new Promise((resolve) => client.on("close", resolve));
  await client.send(new Uint8Array([1, 2, 3]));
  expect(await client.receive()).toEqual(new Uint8Array([3, 2, 1]));
  expect(await closed).toEqual({ code: 3000, reason: "enough", reconnecting: false });
  relay.close();
  server.close();
}, 60_000);
