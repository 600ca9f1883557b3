import { once } from "node:events";
import { createCall, createEnvelope, type Handler, HELLO, reply } from "@parley/core/transport";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { serving } from "../test/servers.ts";
import { ws } from "./index.ts";
import { eventsOf, LINES_SUBPROTOCOL, SUBPROTOCOL, toFrames } from "./subprotocols.ts";

const CALLS = 20;
const opened: { close(options: { graceMs: number }): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close({ graceMs: 0 });
});

const echo: Handler = ({ message }) => ({ message: reply(message, "/echo", message.data) });

async function listening(limits = ws().manifest.limits): Promise<URL> {
  const listener = await ws({ limits }).listen(new URL("ws://127.0.0.1:0"), echo);
  opened.push(listener);
  return listener.url;
}

/** A client that nobody here wrote, once it is greeted, and the text frames that it gets from then on. */
async function foreign(url: URL, ...offered: string[]): Promise<{ socket: WebSocket; frames: string[] }> {
  const socket = new WebSocket(url, offered);
  socket.on("error", () => {});
  await once(socket, "open");
  socket.send(event(1, HELLO, {}));
  await once(socket, "message");
  const frames: string[] = [];
  socket.on("message", (data) => frames.push(String(data)));
  return { socket, frames };
}

function event(call: number, type = "test.echo.v1", data: unknown = call): string {
  return JSON.stringify({ specversion: "1.0", id: `${call}`, source: "/foreign", type, kind: "request", call, data });
}

/** Requests that are made in one turn. */
const burst = Array.from({ length: CALLS }, (_, n) => event(2 * n + 3));

function parsed(frames: readonly string[]): { readonly call: number; readonly data: unknown }[] {
  return frames.flatMap((frame) => frame.split("\n").map((line) => JSON.parse(line)));
}

describe("a listener", () => {
  it("speaks the subprotocol of lines where it is offered, and that of CloudEvents where it is not", async () => {
    const url = await listening();
    const spoken = async (...offered: string[]): Promise<string> => (await foreign(url, ...offered)).socket.protocol;
    expect(await spoken(SUBPROTOCOL, LINES_SUBPROTOCOL)).toBe(LINES_SUBPROTOCOL);
    expect(await spoken("other", LINES_SUBPROTOCOL)).toBe(LINES_SUBPROTOCOL);
    expect(await spoken(SUBPROTOCOL, "other")).toBe(SUBPROTOCOL);
  });

  it("sends an event a frame to whoever did not offer more", async () => {
    const { socket, frames } = await foreign(await listening(), SUBPROTOCOL);
    for (const request of burst) socket.send(request);
    await expect.poll(() => frames.length).toBe(CALLS);
    expect(frames.map((frame) => JSON.parse(frame).data)).toEqual(burst.map((request) => JSON.parse(request).data));
  });

  it("takes several events in a frame, and answers so", async () => {
    const { socket, frames } = await foreign(await listening(), LINES_SUBPROTOCOL);
    socket.send(burst.join("\n"));
    await expect.poll(() => parsed(frames).map(({ data }) => data)).toEqual(parsed(burst).map(({ data }) => data));
    expect(frames.length).toBeLessThan(CALLS / 2);
  });

  it("holds each event to its limit, not all of a frame together", async () => {
    const limits = { ...ws().manifest.limits, maxMessageBytes: 1_000 };
    const { socket, frames } = await foreign(await listening(limits), LINES_SUBPROTOCOL);
    socket.send(burst.join("\n"));
    await expect.poll(() => parsed(frames).length).toBe(CALLS);
    socket.send([event(101), event(103, "test.echo.v1", "x".repeat(1_000)), event(105)].join("\n"));
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1009, expect.stringContaining("resource_exhausted")]);
    expect(parsed(frames).map(({ call }) => call)).not.toContain(105);
  });

  it.each([
    ["an empty line", `${event(3)}\n`],
    ["a line that is no event", `${event(3)}\n[1]\n${event(5)}`],
    ["an event over several lines", JSON.stringify(JSON.parse(event(3)), undefined, 1)],
  ])("ends a connection that brings %s", async (_what, frame) => {
    const { socket } = await foreign(await listening(), LINES_SUBPROTOCOL);
    socket.send(frame);
    const [, reason] = (await once(socket, "close")) as [number, Buffer];
    expect(String(reason)).toContain("invalid_argument");
  });

  it("takes no frame of lines over 64 KiB where its events are to be short", async () => {
    const limits = { ...ws().manifest.limits, maxMessageBytes: 1_000 };
    const { socket } = await foreign(await listening(limits), LINES_SUBPROTOCOL);
    socket.send(`${event(3)}\n`.repeat(1_000));
    expect((await once(socket, "close"))[0]).toBe(1009);
  });
});

describe("dialling", () => {
  it.each([
    ["chooses the first that is offered", undefined],
    ["knows CloudEvents alone", () => SUBPROTOCOL],
  ])("a server that %s gets an event a frame", async (_what, handleProtocols) => {
    const frames: string[] = [];
    const answer = ({ id, type, call, data }: Record<string, unknown>): string =>
      JSON.stringify({ specversion: "1.0", id: `${id}.r`, source: "/foreign", type, kind: "reply", call, data });
    const { url } = await serving(
      (peer) =>
        peer.on("message", (data) => {
          frames.push(String(data));
          peer.send(answer(JSON.parse(String(data))));
        }),
      handleProtocols ? { handleProtocols } : {},
    );
    const connection = await ws().connect(new URL(url));
    opened.push(connection);
    const answers = Array.from({ length: CALLS }, (_, n) => {
      const message = createEnvelope({ kind: "request", type: "test.echo.v1", source: "/test", data: n });
      return connection.call(createCall({ kind: "request", message }));
    });
    expect((await Promise.all(answers)).map(({ message }) => message?.data)).toEqual([...Array(CALLS).keys()]);
    expect(frames).toHaveLength(1 + CALLS);
  });
});

describe("frames of lines", () => {
  it("hold all events in their order, and several no more than 64 KiB", () => {
    const lengths = [1, 21_000, 900, 30, 30_000, 10, 10, 21_844, 21_845, 5];
    const events = lengths.map((length, n) => String.fromCharCode(0x4e00 + n).repeat(length));
    const frames = toFrames(events, LINES_SUBPROTOCOL);
    expect(frames.flatMap((frame) => eventsOf(frame, LINES_SUBPROTOCOL))).toEqual(events);
    expect(frames.length).toBeLessThan(events.length);
    for (const frame of frames.filter((text) => text.includes("\n"))) {
      expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(64 * 1024);
    }
  });
});
