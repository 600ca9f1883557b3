import { createServer } from "node:net";
import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import * as node from "./index.ts";

const { isLoopback, listenAt, requireExposed } = node;

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(node).sort()).toEqual([
    "isLoopback",
    "listenAt",
    "loopbackNames",
    "requireExposed",
    "socketPeer",
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
