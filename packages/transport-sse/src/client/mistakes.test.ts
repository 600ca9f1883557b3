import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { SseClient, type SseClientOptions } from "../index.ts";

const url = "http://127.0.0.1:1";

test.each<[string, unknown, string]>([
  ["an address in place of options", url, "SseClient takes an object of options"],
  ["nothing", undefined, "was given undefined"],
  ["an address without a scheme", { url: "127.0.0.1:80/x" }, "the option url is no whole URL"],
  ["a name that is misspelt", { url, lastEventID: "3" }, "did you mean lastEventId?"],
  ["an id that is no text", { url, lastEventId: 3 }, "lastEventId must be a text"],
  ["a token in place of credentials", { url, credentials: "t0ken" }, "the option credentials takes what bearer()"],
])("%s is refused when the client is made", (_what, options, message) => {
  const make = () => new SseClient(options as SseClientOptions); // what callers without types write
  expect(make).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
});

/** Reads a stream that a server gives as one answer. */
async function read(head: Record<string, string>, body: string, options: Partial<SseClientOptions>): Promise<string[]> {
  const server = createServer((_request, response) => response.writeHead(200, head).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const data: string[] = [];
  try {
    const { port } = server.address() as AddressInfo; // a TCP server's address is an object
    for await (const event of new SseClient({ url: `http://127.0.0.1:${port}`, reconnect: false, ...options }))
      data.push(event.data);
  } catch (error) {
    Object.assign(error as object, { data });
    throw error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return data;
}

const type = "text/event-stream";

test("an event over the limit ends the stream also when all of it came at once", async () => {
  const body = `data: ok\n\ndata: ${"x".repeat(500)}\n\ndata: later\n\n`;
  const reading = read({ "content-type": type }, body, { maxEventChars: 100 });
  await expect(reading).rejects.toMatchObject({ code: "resource_exhausted", outcome: "unknown", data: ["ok"] });
});

test("a stream that is compressed is no stream without an end", async () => {
  const reading = read({ "content-type": type, "content-encoding": "gzip" }, "\u001f", {});
  await expect(reading).rejects.toMatchObject({ code: "internal", message: expect.stringContaining("gzip") });
});

test("a closed client says that it is closed", async () => {
  const client = new SseClient({ url });
  await client.close();
  expect(() => client[Symbol.asyncIterator]()).toThrow("closed");
});
