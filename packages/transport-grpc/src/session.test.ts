import { connect as connectTcp, createServer, type Socket } from "node:net";
import {
  answererItem,
  createCall,
  createEnvelope,
  type Handler,
  HELLO,
  ParleyError,
  type ReconnectingConnection,
  reconnecting,
  reply,
} from "@parley/core/transport";
import { afterEach, expect, it } from "vitest";
import { type GrpcOptions, grpc } from "./index.ts";

const source = "/test";
const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A listener behind a relay that can reset its connections and take no new ones, and a connection to it that comes back. */
async function scene(options: GrpcOptions = {}) {
  const ran: unknown[] = [];
  const go = Promise.withResolvers<void>();
  const handler: Handler = ({ kind, message }) => {
    if (message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
    ran.push(message.data);
    if (kind === "notify") return {};
    if (kind === "request") {
      const answer = { message: reply(message, source, message.data) };
      return message.data === "held" ? go.promise.then(() => answer) : answer;
    }
    async function* items() {
      for (let n = 1; n <= Number(message.data); n++) yield answererItem(message, source, n, n);
    }
    return { output: items() };
  };
  const listener = await grpc(options).listen(new URL("grpc://127.0.0.1:0"), handler);
  cleanups.push(() => listener.close({ graceMs: 0 }));
  const sockets = new Set<Socket>();
  let open = true;
  const relay = createServer((near) => {
    near.on("error", () => {});
    if (!open) return near.resetAndDestroy();
    const far = connectTcp(Number(listener.url.port), "127.0.0.1");
    far.on("error", () => {});
    for (const [own, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(own);
      own.on("close", () => {
        sockets.delete(own);
        other.destroy();
      });
      own.pipe(other);
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  cleanups.push(() => {
    reset();
    relay.close();
  });
  const url = new URL(`grpc://127.0.0.1:${(relay.address() as { readonly port: number }).port}`);
  const connection = await reconnecting(grpc(options), { baseMs: 1, maxMs: 10 }).connect(url);
  cleanups.push(() => connection.close({ graceMs: 0 }));
  return {
    connection,
    ran,
    reset,
    release: go.resolve,
    refuse(refused: boolean) {
      open = !refused;
    },
  };
}

async function count(connection: ReconnectingConnection, upTo: number, onItem: (n: number) => void) {
  const message = createEnvelope({ kind: "server-stream", type: "test.work.v1", source, data: upTo });
  const { output } = await connection.call(createCall({ kind: "server-stream", message }));
  const items: unknown[] = [];
  for await (const { data } of output ?? []) {
    items.push(data);
    onItem(data as number);
  }
  return items;
}

function make(connection: ReconnectingConnection, kind: "request" | "notify", data: unknown) {
  const message = createEnvelope({ kind, type: "test.work.v1", source, data });
  return connection.call(createCall({ kind, message }));
}

it("calls of the one stream between Parleys outlive resets: streams without a gap, notifications once, requests with their answer", async () => {
  const { connection, reset, ran, release } = await scene();
  const held = make(connection, "request", "held");
  const items = await count(connection, 6_000, (n) => {
    if (n % 2_000 === 500) reset();
  });
  expect(items).toEqual(Array.from({ length: 6_000 }, (_, at) => at + 1));
  reset();
  await make(connection, "notify", "told");
  release();
  expect((await held).message?.data).toBe("held");
  expect(ran).toEqual(["held", 6_000, "told"]);
});

it("a stream that is away for longer than the window ends with data_loss", async () => {
  const { connection, reset, refuse } = await scene({ resumeWindowMs: 50 });
  const reading = count(connection, 1_000_000, (n) => {
    if (n !== 100) return;
    refuse(true);
    reset();
  });
  await expect(reading).rejects.toMatchObject({ code: "data_loss", outcome: "unknown" });
  refuse(false);
  expect((await make(connection, "request", "after")).message?.data).toBe("after");
});
