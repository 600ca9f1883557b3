import { type Interceptor, ParleyError } from "@parley/core";
import { expect, it } from "vitest";
import { clientOf, echo, failureOf, mute, serving } from "../test/servers.ts";

/** Notes the operations that pass. */
function noting() {
  const types: string[] = [];
  const note: Interceptor = (next) => (call) => {
    types.push(call.message.type);
    return next(call);
  };
  return { types, note };
}

it("connecting and sending are made again when nothing can have arrived, through the policies each time", async () => {
  let refusals = 2;
  const { url } = await serving(echo, {
    verifyClient: (_info, done) => done(refusals-- <= 0, 503, "Service Unavailable"),
  });
  const { types, note } = noting();
  const options = { url, retry: { baseMs: 1 }, use: [note] };
  await clientOf(options).connect();
  refusals = 1;
  const client = clientOf(options);
  await client.send("hello");
  expect(await client.receive()).toBe("hello");
  expect(types).toEqual(["ws.connect", "ws.connect", "ws.connect", "ws.send", "ws.send"]);
});

it("what a policy refuses never leaves, and dials nobody", async () => {
  let dials = 0;
  const { url } = await serving(() => dials++);
  const refusal = new ParleyError("permission_denied", "not now", { outcome: "not-sent" });
  const client = clientOf({ url, use: [() => () => Promise.reject(refusal)] });
  expect(await failureOf(client.send(1))).toBe(refusal);
  expect([client.state, dials]).toEqual(["idle", 0]);
});

it("with policies a message that is given up has the true outcome as well", async () => {
  const url = await mute((socket) => socket.pause());
  const client = clientOf({ url, use: [(next) => next], maxQueuedBytes: 32 * 1024 * 1024, maxMessageBytes: 2 ** 25 });
  await client.connect();
  // More than the sockets of both ends hold.
  const large = failureOf(client.send("x".repeat(2 ** 24), { timeoutMs: 300 }));
  const behind = failureOf(client.send("y", { timeoutMs: 300 }));
  expect(await large).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  expect(await behind).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
});
