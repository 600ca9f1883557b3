import { createServer, type Socket } from "node:net";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import * as node from "./index.ts";

const { isLoopback, listenAt, presentedHeaders, requireExposed, socketPeer } = node;

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(node).sort()).toEqual([
    "isLoopback",
    "listenAt",
    "loopbackNames",
    "opensslReason",
    "presentedHeaders",
    "requireExposed",
    "socketPeer",
    "tlsError",
    "withPort",
  ]);
});

test("port 0 becomes the port that was taken, and a taken one is told with what to do", async () => {
  const server = createServer();
  const url = await listenAt(server, new URL("ws://127.0.0.1:0/path"), 80);
  expect(url.href).toMatch(/^ws:\/\/127\.0\.0\.1:[1-9]\d*\/path$/);
  const error = await failureOf(() => listenAt(createServer(), url, 80));
  expect(error).toMatchObject({ code: "already_exists", outcome: "not-sent" });
  expect(error.message).toContain(url.host);
  server.close();
});

test("an address of another machine is told", async () => {
  const error = await failureOf(() => listenAt(createServer(), new URL("ws://192.0.2.1:0"), 80));
  expect(error).toMatchObject({ code: "invalid_argument", message: "192.0.2.1 is not an address of this machine" });
});

test("addresses are of this machine, or have to be exposed on purpose", () => {
  const own = ["ws://localhost", "ws://127.0.0.1", "ws://127.9.9.9", "ws://[::1]"];
  for (const url of own) requireExposed(new URL(url), false, "ws");
  for (const host of ["0.0.0.0", "::", "example.com", "127.evil.example"]) expect(isLoopback(host)).toBe(false);
  expect(() => requireExposed(new URL("ws://0.0.0.0"), false, "ws")).toThrow("say ws({ exposed: true })");
  requireExposed(new URL("ws://0.0.0.0"), true, "ws");
});

test.each<[string | undefined, string | undefined]>([
  ["URI:urn:agent:alice, DNS:alice.example", "urn:agent:alice"],
  ["DNS:alice.example, IP Address:127.0.0.1", "alice.example"],
  ["IP Address:127.0.0.1", undefined],
  [undefined, undefined],
  // As Node writes a DNS name that holds what separates names.
  ['DNS:"evil.example, URI:urn:agent:alice, x"', undefined],
])("of a certificate with the names %s the principal is %s, until it runs out", (subjectaltname, principal) => {
  const getPeerCertificate = () => ({ subjectaltname, valid_to: "Nov 21 10:35:33 2026 GMT" });
  const socket = { authorized: true, getPeerCertificate } as unknown as Socket; // as much of one as is looked at
  const certifiedUntil = principal === undefined ? undefined : Date.UTC(2026, 10, 21, 10, 35, 33);
  expect(socketPeer(socket)).toEqual({ address: undefined, principal, certifiedUntil });
});

test("headers are found by name, in whatever case they came and however often, and are not printed", () => {
  const presented = presentedHeaders(["Authorization", "Bearer canary", "X-A", "1", "AUTHORIZATION", "Basic canary"]);
  expect(presented.header("authorization")).toEqual(["Bearer canary", "Basic canary"]);
  expect(presented.header("x-b")).toEqual([]);
  expect(inspect(presented, { showHidden: true, depth: 9 }) + JSON.stringify(presented)).not.toContain("canary");
});
