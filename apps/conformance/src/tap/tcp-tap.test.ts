import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { History } from "../history.ts";
import { lines } from "./framing.ts";
import type { Tap } from "./tap.ts";
import { createTcpTap } from "./tcp-tap.ts";

describe("a tap", () => {
  let server: Server;
  let accepted: Promise<Socket>;
  let tap: Tap;
  let client: Socket;
  let peer: Socket;

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true });
    accepted = once(server, "connection").then(([socket]) => socket as Socket);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    tap = createTcpTap(new History(), lines);
    const url = await tap.through(new URL(`tcp://127.0.0.1:${(server.address() as { port: number }).port}`));
    client = connect(Number(url.port), url.hostname);
    peer = await accepted;
    for (const socket of [client, peer]) socket.on("error", () => {});
  });

  afterEach(async () => {
    client.destroy();
    peer.destroy();
    await tap.close();
    server.close();
    await once(server, "close");
  });

  it("passes on, counts and keeps what both sides send", async () => {
    client.write("up\n");
    expect(String((await once(peer, "data"))[0])).toBe("up\n");
    peer.write("down!\n");
    expect(String((await once(client, "data"))[0])).toBe("down!\n");
    expect([tap.bytes("dialler"), tap.bytes("listener"), tap.connections]).toEqual([3, 6, 1]);
    expect([tap.contains("dialler", "up"), tap.contains("listener", "up")]).toEqual([true, false]);
  });

  it("keeps back what one side sends until it is released", async () => {
    tap.hold("dialler");
    client.write("held\n");
    peer.write("marker\n");
    await once(client, "data");
    while (tap.held("dialler") < 5) await new Promise((resolve) => setImmediate(resolve));
    expect(peer.readableLength).toBe(0);
    tap.release("dialler");
    expect(String((await once(peer, "data"))[0])).toBe("held\n");
  });

  it("rewrites, repeats and swallows frames, and forges new ones", async () => {
    tap.rewrite((frame) => (frame === "one" ? ["two", "three"] : frame === "gone" ? [] : undefined));
    client.write("gone\none\nfour\n");
    let seen = "";
    peer.on("data", (chunk) => {
      seen += String(chunk);
    });
    while (!seen.includes("four")) await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toBe("two\nthree\nfour\n");
    tap.forge("from nobody", "listener");
    expect(String((await once(client, "data"))[0])).toBe("from nobody\n");
  });

  it("ends a connection in order, and both sides read its end", async () => {
    const ends = [once(client.resume(), "end"), once(peer.resume(), "end")];
    tap.cut("fin");
    await Promise.all(ends);
  });

  it("resets a connection, and both sides get an error", async () => {
    const errors = [once(client.resume(), "error"), once(peer.resume(), "error")].map((event) =>
      event.catch((error) => [error]),
    );
    tap.cut("rst");
    expect((await Promise.all(errors)).map(([error]) => (error as NodeJS.ErrnoException).code)).toEqual([
      "ECONNRESET",
      "ECONNRESET",
    ]);
  });
});
