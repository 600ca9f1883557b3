import { connect as connectTcp } from "node:net";
import { type Call, HELLO } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { describe, expect, test } from "vitest";
import { call, echo, failure } from "../test/pair.ts";
import { type GrpcTls, grpc } from "./index.ts";

const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert, strangerKey } = certificates;
const server: GrpcTls = { cert: serverCert, key: serverKey };

test("a caller who never shakes hands does not keep the listener from closing", async () => {
  const listener = await grpc({ tls: server }).listen(new URL("grpcs://127.0.0.1:0"), echo);
  const socket = connectTcp(Number(listener.url.port), "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  const start = performance.now();
  await listener.close({ graceMs: 0 });
  expect(performance.now() - start).toBeLessThan(3_000);
});

describe.each([
  ["over one stream", true],
  ["natively", false],
])("with TLS, %s", (_mode, channel) => {
  /** Listens with `listening`, calls once with `dialling`, and tells what the handler saw. */
  async function over(listening: GrpcTls, dialling: GrpcTls): Promise<Call | undefined> {
    let seen: Call | undefined;
    const listener = await grpc({ tls: listening, channel }).listen(new URL("grpcs://127.0.0.1:0"), (one) => {
      if (one.message.type !== HELLO) seen = one;
      return echo(one);
    });
    try {
      await using connection = await grpc({ tls: dialling, channel }).connect(listener.url, {
        connectTimeoutMs: 3_000,
      });
      await call({ connection }, "request", { data: 1 });
      return seen;
    } finally {
      await listener.close({ graceMs: 0 });
    }
  }

  test("a verified server is called", async () => {
    const seen = await over(server, { ca });
    expect(seen?.message.data).toBe(1);
    expect(seen?.context.peer?.principal).toBeUndefined();
  });

  test("a caller's verified certificate names it", async () => {
    const seen = await over({ ...server, ca, requestCert: true }, { ca, cert: clientCert, key: clientKey });
    expect(seen?.context.peer?.principal).toBe("urn:agent:alice");
  });

  test.each<[string, GrpcTls, GrpcTls]>([
    ["a server of an unknown authority", server, {}],
    ["a server of another name", server, { ca, servername: "agents.example" }],
    ["a caller without a certificate where one is wanted", { ...server, ca, requestCert: true }, { ca }],
    [
      "a caller of an unknown authority",
      { ...server, ca, requestCert: true },
      { ca, cert: strangerCert, key: strangerKey },
    ],
  ])("%s is turned away before anything is sent", async (_name, listening, dialling) => {
    expect(await failure(over(listening, dialling))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  test("a certificate that is not verified names nobody", async () => {
    const listening = { ...server, ca, requestCert: true, rejectUnauthorized: false };
    const seen = await over(listening, { ca, cert: strangerCert, key: strangerKey });
    expect(seen?.message.data).toBe(1);
    expect(seen?.context.peer?.principal).toBeUndefined();
  });
});
