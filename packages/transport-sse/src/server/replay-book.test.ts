import { Endpoint, listenHttp } from "@parley/core/http";
import type { Handler, Listener } from "@parley/core/transport";
import { expect, test } from "vitest";
import { announcing, answers, eventsOf, type Reading, stranger } from "../../test/wires.ts";
import type { ReplayBounds } from "./replay-book.ts";
import { isForSse, sseWire } from "./sse-wire.ts";

/** Streams of one text each, which then stay open. */
function oneEach(text: string): { readonly handler: Handler; readonly open: number } {
  let open = 0;
  return {
    get open() {
      return open;
    },
    handler: announcing({ "test.echo": "server-stream" }, (call) => {
      open++;
      call.onAbort({
        callAborted() {
          open--;
        },
      });
      const values = (async function* () {
        yield text;
        await new Promise(() => {});
      })();
      return { output: answers(call, values) };
    }),
  };
}

/** Listens, and keeps no more than these bounds allow. */
function listen(handler: Handler, bounds: Partial<ReplayBounds>): Promise<Listener> {
  const wire = sseWire({}, undefined, { streams: 1_000, detached: 1_000, bytes: 1_000_000, ...bounds });
  const url = new URL("sse://127.0.0.1:0");
  return listenHttp(url, new Endpoint(handler, wire, {}), {}, { secure: false, claims: isForSse });
}

/** Opens a stream and reads its text. */
async function read({ url }: Listener): Promise<Reading & { readonly position: string | undefined }> {
  const headers = { accept: "text/event-stream", prefer: "resume", "content-type": "application/json" };
  const reading = await stranger(url, { path: "/test.echo.v1", headers, body: "{}" });
  await reading.until("data:");
  return Object.assign(reading, { position: eventsOf(reading.text)[0]?.["id"] });
}

function comeBack({ url }: Listener, position: string | undefined): Promise<Reading> {
  const headers = { accept: "text/event-stream", "last-event-id": position ?? "" };
  return stranger(url, { method: "GET", path: "/test.echo.v1", headers });
}

/** The listener has learned of what happened on other sockets before. */
async function settled({ url }: Listener): Promise<void> {
  await (await stranger(url, { method: "GET", path: "/healthz" })).closed;
}

test("beyond the number of streams that are kept, one that has a reader is answered, and cannot be taken up", async () => {
  const agent = oneEach("text");
  const listener = await listen(agent.handler, { streams: 2 });
  const readings = [await read(listener), await read(listener), await read(listener)];
  expect(readings.map(({ position }) => position)).toEqual([
    expect.stringMatching(/\.1$/),
    expect.stringMatching(/\.1$/),
    undefined,
  ]);
  readings[2]?.leave();
  await expect.poll(() => agent.open).toBe(2);
  await listener.close({ graceMs: 0 });
});

test("of more bytes than are kept in all, those of the stream that has waited longest go first", async () => {
  const agent = oneEach("x".repeat(4_000));
  const listener = await listen(agent.handler, { bytes: 15_000 });
  const readings: Awaited<ReturnType<typeof read>>[] = [];
  for (let index = 0; index < 3; index++) readings.push(await read(listener));
  const [first, second] = readings;
  second?.leave();
  await settled(listener);
  first?.leave();
  await settled(listener);
  expect(agent.open).toBe(3);
  await read(listener);
  expect(agent.open).toBe(3);
  expect(await (await comeBack(listener, second?.position)).closed).toContain("data_loss");
  expect((await comeBack(listener, first?.position)).text).not.toContain("data_loss");
  await listener.close({ graceMs: 0 });
});
