import { type Call, HELLO } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { expect, test } from "vitest";
import { call, echo, failure } from "../test/pair.ts";
import { type HttpTls, http } from "./index.ts";

const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert, strangerKey } = certificates;
const server: HttpTls = { cert: serverCert, key: serverKey };

/** Listens with `listening`, calls once with `dialling`, and tells what the handler saw. */
async function over(listening: HttpTls, dialling: HttpTls): Promise<Call | undefined> {
  let seen: Call | undefined;
  const listener = await http({ tls: listening }).listen(new URL("https://127.0.0.1:0"), (one) => {
    if (one.message.type !== HELLO) seen = one;
    return echo()(one);
  });
  try {
    await using connection = await http({ tls: dialling }).connect(listener.url);
    await call({ connection }, "request", { data: 1 });
    return seen;
  } finally {
    await listener.close({ graceMs: 0 });
  }
}

test("a verified server is called over TLS", async () => {
  const seen = await over(server, { ca });
  expect(seen?.message.data).toBe(1);
  expect(seen?.context.peer?.principal).toBeUndefined();
});

test("a caller's verified certificate names it", async () => {
  const seen = await over({ ...server, ca, requestCert: true }, { ca, cert: clientCert, key: clientKey });
  expect(seen?.context.peer?.principal).toBe("urn:agent:alice");
});

test.each<[string, HttpTls, HttpTls]>([
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
  expect(
    (await over(listening, { ca, cert: strangerCert, key: strangerKey }))?.context.peer?.principal,
  ).toBeUndefined();
});

test("listening at https without a certificate is refused with the remedy", async () => {
  const error = await failure(http().listen(new URL("https://127.0.0.1:0"), echo()));
  expect(error).toMatchObject({ code: "invalid_argument" });
  expect(error.message).toContain("tls");
});
