import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bothWays, type Faults } from "./faults.ts";
import { type TcpProxy, tcpProxy } from "./tcp-proxy.ts";

interface End {
  readonly socket: Socket;
  /** What has arrived, a chunk each. */
  readonly chunks: Buffer[];
  /** What happened, in order. */
  readonly events: string[];
}

const textOf = ({ chunks }: End): string => Buffer.concat(chunks).toString("latin1");

function watch(socket: Socket): End {
  const end: End = { socket, chunks: [], events: [] };
  socket.on("data", (chunk) => end.chunks.push(chunk));
  socket.on("end", () => end.events.push("end"));
  socket.on("error", (error: NodeJS.ErrnoException) => end.events.push(error.code ?? ""));
  socket.on("close", () => end.events.push("close"));
  return end;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("a fault proxy", () => {
  let server: Server;
  let proxy: TcpProxy;
  let target: URL;
  const accepted: Socket[] = [];

  beforeEach(async () => {
    accepted.length = 0;
    server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accepted.push(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    target = new URL(`any://127.0.0.1:${(server.address() as { port: number }).port}/path`);
  });

  afterEach(async () => {
    await proxy.close();
    for (const socket of accepted) socket.destroy();
    server.close();
    await once(server, "close");
  });

  async function open(faults?: Faults): Promise<{ client: End; peer: End }> {
    proxy = await tcpProxy(target, faults ? { faults } : {});
    return dial();
  }

  async function dial(): Promise<{ client: End; peer: End }> {
    const before = accepted.length;
    const client = watch(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
    await until(() => accepted.length > before);
    return { client, peer: watch(accepted[before] as Socket) };
  }

  it("passes everything on when nothing is wrong, ends and resets too", async () => {
    const { client, peer } = await open();
    expect(proxy.url(target).href).toBe(`any://127.0.0.1:${proxy.port}/path`);
    const much = Buffer.alloc(3 * 1024 * 1024, "abc");
    client.socket.end(much);
    await until(() => peer.events.includes("end"));
    expect(textOf(peer) === much.toString()).toBe(true);
    peer.socket.write("answer");
    await until(() => textOf(client) === "answer");
    expect([proxy.bytes("dialler"), proxy.bytes("listener"), proxy.connections, proxy.open]).toEqual([
      much.length,
      6,
      1,
      1,
    ]);
    peer.socket.resetAndDestroy();
    await until(() => client.events.includes("close"));
    expect(client.events).toContain("ECONNRESET");
  });

  it("delays every byte, more or less, and keeps their order", async () => {
    const { client, peer } = await open(bothWays({ latencyMs: 60, jitterMs: 30 }));
    const start = performance.now();
    for (let k = 0; k < 50; k++) {
      client.socket.write(String.fromCharCode(48 + k));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => textOf(peer).length === 50);
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    expect(textOf(peer)).toBe(Array.from({ length: 50 }, (_, k) => String.fromCharCode(48 + k)).join(""));
    const back = performance.now();
    peer.socket.write("back");
    await until(() => textOf(client) === "back");
    expect(performance.now() - back).toBeGreaterThanOrEqual(29);
  });

  it("lets no more pass than the bandwidth, all connections together, and pushes back", async () => {
    const { client, peer } = await open({ dialler: { bytesPerSecond: 512 * 1024 } });
    const other = await dial();
    const start = performance.now();
    const total = 8 * 1024 * 1024;
    client.socket.write(Buffer.alloc(total));
    other.client.socket.write(Buffer.alloc(100 * 1024));
    await until(() => Buffer.concat(other.peer.chunks).length === 100 * 1024);
    const seconds = (performance.now() - start) / 1000;
    expect(proxy.bytes("dialler") / seconds).toBeLessThan(600 * 1024);
    expect(proxy.bytes("dialler")).toBeGreaterThan(100 * 1024);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(textOf(peer).length).toBeLessThan(total);
  });

  it.each(["fin", "rst"] as const)("cuts with %s before the first byte", async (cut) => {
    proxy = await tcpProxy(target, { faults: { listener: { cutAfterBytes: 0, cut } } });
    const client = watch(connect({ port: proxy.port, host: "127.0.0.1", noDelay: true }));
    await until(() => client.events.includes("close"));
    expect([client.events[0], proxy.bytes("dialler"), proxy.cuts]).toEqual([
      cut === "fin" ? "end" : "ECONNRESET",
      0,
      1,
    ]);
  });

  it.each([
    ["fin", 1],
    ["fin", 777],
    ["rst", 777],
  ] as const)("cuts with %s when exactly %i bytes have passed, in either direction", async (cut, n) => {
    for (const from of ["dialler", "listener"] as const) {
      const { client, peer } = await open({ [from]: { cutAfterBytes: n, cut } });
      const [source, sink] = from === "dialler" ? [client, peer] : [peer, client];
      source.socket.write(Buffer.alloc(5_000, "x"));
      await until(() => sink.events.length > 0);
      if (cut === "fin") expect([sink.events[0], textOf(sink).length]).toEqual(["end", n]);
      else expect([sink.events[0], textOf(sink).length <= n]).toEqual(["ECONNRESET", true]);
      expect([proxy.bytes(from), proxy.cuts, proxy.open]).toEqual([n, 1, 0]);
      await proxy.close();
    }
  });

  it("cuts a connection that is open when so many bytes more have passed", async () => {
    const { client, peer } = await open();
    client.socket.write("0123456789");
    await until(() => textOf(peer).length === 10);
    proxy.set({ dialler: { cutAfterBytes: 3 } });
    client.socket.write("abcdef");
    await until(() => peer.events.length > 0);
    expect(textOf(peer)).toBe("0123456789abc");
  });

  it("drops everything of one side, its end too, while the other is heard", async () => {
    const { client, peer } = await open();
    proxy.set({ dialler: { drop: true } });
    client.socket.end("into the void");
    peer.socket.write("heard");
    await until(() => textOf(client) === "heard");
    peer.socket.write("marker");
    await until(() => textOf(client) === "heardmarker");
    expect([textOf(peer), peer.events, proxy.open]).toEqual(["", [], 1]);
  });

  it("does not let one side know that the other has vanished behind a dropping link", async () => {
    const { client, peer } = await open();
    proxy.set({ dialler: { drop: true } });
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
    const other = await dial();
    other.peer.socket.write("marker");
    await until(() => textOf(other.client) === "marker");
    expect([peer.events, peer.socket.destroyed]).toEqual([[], false]);
  });

  it("delays an end, or keeps it for ever", async () => {
    const { client, peer } = await open({ dialler: { endDelayMs: 80 }, listener: { endDelayMs: Infinity } });
    const start = performance.now();
    client.socket.end("bye");
    await until(() => textOf(peer) === "bye");
    expect(peer.events).toEqual([]);
    await until(() => peer.events.length > 0);
    expect([peer.events, performance.now() - start >= 79]).toEqual([["end"], true]);
    peer.socket.end("never ends");
    await until(() => textOf(client) === "never ends");
    const other = await dial();
    other.peer.socket.write("marker");
    await until(() => textOf(other.client) === "marker");
    expect(client.events).toEqual([]);
  });

  it("slices to single bytes, and makes one write of many", async () => {
    const { client, peer } = await open({ dialler: { sliceBytes: 1 }, listener: { coalesceBytes: 1_000 } });
    client.socket.write("0123456789");
    await until(() => textOf(peer).length === 10);
    expect(textOf(peer)).toBe("0123456789");
    expect(peer.chunks.length).toBeGreaterThan(5);
    for (let k = 0; k < 10; k++) {
      peer.socket.write(`${k}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => textOf(client).length === 10);
    expect(client.chunks.map(String)).toEqual(["0123456789"]);
  });

  it("goes down and comes up at the same port", async () => {
    const { client } = await open();
    const { port } = proxy;
    await proxy.down();
    await until(() => client.events.includes("close"));
    const refused = connect(port, "127.0.0.1");
    const [error] = (await once(refused, "error").catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    await proxy.up();
    const again = await dial();
    again.client.socket.write("again");
    await until(() => textOf(again.peer) === "again");
    expect(proxy.port).toBe(port);
  });

  it("leaves nothing open behind it", async () => {
    await open(bothWays({ latencyMs: 5_000, endDelayMs: 5_000 }));
    accepted[0]?.write("late");
    await proxy.close();
    await until(() => !process.getActiveResourcesInfo().includes("Timeout") || proxy.open === 0);
    expect(proxy.open).toBe(0);
  });
});
