import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { tlsError } from "./tls-error.ts";

test("a server without TLS is told in words, without OpenSSL's addresses and files", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).on("data", () => socket.end("plain")));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1"); // a TCP server's address is an object
  const [failure] = (await once(socket, "error")) as [Error];
  server.close();
  expect(tlsError("a:1", failure)).toMatchObject({
    code: "unavailable",
    outcome: "not-sent",
    message: "the TLS connection to a:1 failed: wrong version number; does it speak TLS at this port?",
  });
});

test("names of files in place of what is in them are told as such", async () => {
  let failure: unknown;
  try {
    connect({ port: 1, host: "127.0.0.1", cert: "cert.pem", key: "key.pem" });
  } catch (thrown) {
    failure = thrown;
  }
  expect(tlsError("a:1", failure as Error)).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    message: expect.stringContaining("not their names"),
  });
});

test("what has nothing to do with TLS is none of it", () => {
  expect(tlsError("a:1", Object.assign(new Error("x"), { code: "ECONNRESET" }))).toBeUndefined();
});
