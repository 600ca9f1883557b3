import { inspect } from "node:util";
import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { memory } from "../transport/memory.ts";
import type { Transport } from "../transport/transport.ts";
import { findEndpoint } from "./endpoint.ts";

const wire = (name: string, ...schemes: string[]): Transport => ({ ...memory(), name, schemes });

test("the scheme picks the transport; of several the first", () => {
  const [one, two, three] = [wire("one", "a", "b"), wire("two", "b", "c"), wire("three", "c")];
  for (const [address, transport] of [
    ["a://h", one],
    ["b://h", one],
    ["c://h:7/p?q", two],
    [new URL("c://h"), two],
  ] as const) {
    const found = findEndpoint(address, [one, two, three]);
    expect(found.transport).toBe(transport);
    expect(found.url.href).toContain(String(address));
  }
});

test.for([
  [
    "ws://127.0.0.1:1",
    "install @parley/transport-ws and pass { transports: [ws()] }, with ws from @parley/transport-ws",
  ],
  ["wss://h", "@parley/transport-ws"],
  ["http://h", "[http()]"],
  ["https://h", "@parley/transport-http"],
  [
    "memory://x",
    "no transport serves memory: (memory://x): the transports given serve a: (one); for this one pass { transports: [memory()] }, with memory from @parley/core",
  ],
] as const)("%s without its transport says where it is", async ([address, advice]) => {
  const error = await failureOf(() => findEndpoint(address, [wire("one", "a")]));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).toContain(advice);
});

test("a scheme that nobody knows is told with those that are served", async () => {
  const error = await failureOf(() => findEndpoint("quic://h/x", [wire("one", "a", "b"), wire("two", "c")]));
  expect(error.message).toBe(
    "no transport serves quic: (quic://h/x): the transports given serve a: (one), b: (one), c: (two)",
  );
  expect((await failureOf(() => findEndpoint("quic://h", []))).message).toContain("no transports were given");
  expect((await failureOf(() => findEndpoint("constructor://h", []))).message).toContain("no transports were given");
});

test("what is no URL is told with its text", async () => {
  for (const address of ["", "127.0.0.1", "not a url", "//h", "localhost:7070", "my-host.example:80/path"]) {
    const error = await failureOf(() => findEndpoint(address, [wire("one", "a")]));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain(`${JSON.stringify(address)} is no URL`);
  }
});

test("credentials in a URL are in no message", async () => {
  const error = await failureOf(() => findEndpoint("quic://user:canary@h/x?key=canary", []));
  expect(error.message).not.toContain("canary");
  const unreadable = await failureOf(() => findEndpoint("mqtt://user:canary@h:99999/x", []));
  expect(unreadable.message).toContain('"mqtt://h:99999/x" is no URL');
  expect(inspect(unreadable)).not.toContain("canary");
});

test("transports that were forgotten are asked for, by the name of the package", async () => {
  expect(await failureOf(() => findEndpoint("mqtt://h", undefined))).toMatchObject({
    code: "invalid_argument",
    message: expect.stringMatching(/option transports is missing.*install @parley\/transport-mqtt/),
  });
});

test("a factory that was not called is told", async () => {
  // What a caller without types writes.
  const transports = [memory] as unknown as readonly Transport[];
  expect(await failureOf(() => findEndpoint("memory://h", transports))).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("memory()"),
  });
});
