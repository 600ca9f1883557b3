import { expect, it } from "vitest";
import { clientOf, echo, failureOf, serving } from "../test/servers.ts";
import { WebSocketClient, type WebSocketClientOptions } from "./index.ts";

const url = "ws://127.0.0.1:1";

it.each<[string, unknown, string]>([
  ["an address in place of options", url, "WebSocketClient takes an object of options"],
  ["nothing", undefined, "was given undefined"],
  ["an address without a scheme", { url: "127.0.0.1:80" }, "is no URL"],
  ["an address with a password", { url: "ws://ann:t0ken@127.0.0.1" }, "in the option credentials"],
  ["a name that is misspelt", { url, pingInterval: 5 }, "did you mean pingIntervalMs?"],
  ["a format that there is not", { url, format: "xml" }, 'format is xml, and must be "json"'],
  ["a policy that there is not", { url, overflow: "drop" }, 'must be "pause" or "drop-oldest"'],
  ["one subprotocol without a list", { url, protocols: "chat" }, "protocols must be a list"],
  ["a token in place of credentials", { url, credentials: "t0ken" }, "the option credentials takes what bearer()"],
])("%s is refused when the client is made", (_what, options, message) => {
  const make = () => new WebSocketClient(options as WebSocketClientOptions); // what callers without types write
  expect(make).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
  expect(make).not.toThrow(/t0ken/);
});

it("an event that there is not, and a listener that is none, are refused", () => {
  const client = clientOf({ url });
  expect(() => client.on("messages" as "message", () => {})).toThrow("the event is messages");
  expect(() => client.on("message", undefined as unknown as () => void)).toThrow("no function but undefined");
});

it("a server without TLS, and files in place of what is in them, are told apart", async () => {
  const { port } = await serving(echo);
  const secure = { url: `wss://127.0.0.1:${port}`, reconnect: false } as const;
  expect(await failureOf(clientOf(secure).connect())).toMatchObject({
    code: "unavailable",
    outcome: "not-sent",
    message: expect.stringContaining("failed: wrong version number; does it speak TLS at this port?"),
  });
  expect(await failureOf(clientOf({ ...secure, tls: { cert: "cert.pem", key: "key.pem" } }).connect())).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    message: expect.stringContaining("not their names"),
  });
});
