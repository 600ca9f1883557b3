import { once } from "node:events";
import { type Channel, ParleyError, systemRuntime } from "@parley/core/transport";
import { expect, it } from "vitest";
import type { WebSocket as Peer } from "ws";
import { serving, socketOf, tcp } from "../../test/servers.ts";
import { closeCause } from "../close-code.ts";
import { openWebSocket } from "./open-web-socket.ts";
import { webSocketChannel } from "./web-socket-channel.ts";

// On Node's WebSocket, which is made to the browsers' standard. Whole calls are tested in Chromium.

/** A channel, and what it has told. */
interface Opened {
  readonly channel: Channel;
  readonly frames: readonly string[];
  readonly drained: Promise<void>;
  readonly closed: Promise<unknown>;
}

const opening = { presenter: undefined, connectTimeoutMs: 10_000, signal: undefined, runtime: systemRuntime };

function open(url: string): Promise<Opened> {
  return openWebSocket(new URL(url), opening, async (webSocket) => {
    const frames: string[] = [];
    const drained = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<unknown>();
    const channel = webSocketChannel(
      webSocket,
      systemRuntime,
    )({ frame: (frame) => frames.push(frame), refused() {}, drain: drained.resolve, closed: closed.resolve });
    return { channel, frames, drained: drained.promise, closed: closed.promise };
  });
}

/** A channel, and the peer at its other end. */
async function pair(): Promise<Opened & { readonly peer: Peer }> {
  const arrived = Promise.withResolvers<Peer>();
  const { url } = await serving(arrived.resolve);
  const opened = await open(url);
  return { ...opened, peer: await arrived.promise };
}

const exhausted = new ParleyError("resource_exhausted", "too much of it", { outcome: "unknown" });

it("tells the peer why it closes, by a code that pages may use and by the name", async () => {
  const { channel, peer, closed } = await pair();
  channel.close(exhausted);
  const [code, reason] = (await once(peer, "close")) as [number, Buffer];
  expect([code, String(reason)]).toEqual([4429, "resource_exhausted: too much of it"]);
  expect(closeCause(code, String(reason))).toMatchObject({ code: "resource_exhausted" });
  await closed;
});

it("closes in order, after what was written before", async () => {
  const { channel, peer, closed } = await pair();
  const messages: string[] = [];
  peer.on("message", (data) => messages.push(String(data)));
  channel.write(["one", "two"]);
  channel.close();
  const [code] = await once(peer, "close");
  expect([code, messages]).toEqual([1000, ["one", "two"]]);
  expect(await closed).toBeUndefined();
});

it("does not wait for ever for a peer that does not close", async () => {
  const { channel, closed, peer } = await pair();
  socketOf(peer).pause();
  channel.close(exhausted);
  expect(await closed).toBe(exhausted);
});

it("takes text, and ends at a binary frame", async () => {
  const { peer, frames, closed } = await pair();
  peer.send("{}");
  peer.send(new Uint8Array([1]));
  peer.send("{}");
  expect(await closed).toMatchObject({ code: "unimplemented" });
  expect(frames).toEqual(["{}"]);
});

it("says when it is full, and when there is room again", async () => {
  const { channel, peer, drained } = await pair();
  peer.pause();
  const frames = ["x".repeat(256 * 1024)];
  while (channel.write(frames));
  peer.resume();
  await drained;
  channel.close();
});

it("learns of a cut", async () => {
  const { peer, closed } = await pair();
  peer.terminate();
  expect(await closed).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

it("gives up a handshake that takes too long, or is cancelled", async () => {
  const url = new URL(await tcp(() => {}));
  const never = () => Promise.reject(new Error("it opened"));
  await expect(openWebSocket(url, { ...opening, connectTimeoutMs: 1 }, never)).rejects.toMatchObject({
    code: "deadline_exceeded",
    outcome: "not-sent",
  });
  const signal = AbortSignal.abort();
  await expect(openWebSocket(url, { ...opening, signal }, never)).rejects.toMatchObject({ code: "cancelled" });
  const giveUp = new AbortController();
  const dialled = openWebSocket(url, { ...opening, signal: giveUp.signal }, never);
  giveUp.abort();
  await expect(dialled).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
});
