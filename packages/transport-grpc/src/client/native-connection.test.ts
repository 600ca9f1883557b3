import type { Credential, Credentials } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, echo, failure, pair } from "../../test/pair.ts";
import { nativeLimits } from "../index.ts";

const token: Credential = {
  header: () => ["authorization", "Bearer token"],
  login: () => ({ password: "token" }),
  text: () => "token",
};

/** Has the token at hand until it is told to wait for it. */
function slowTokens(): Credentials & { wait?: Promise<unknown> } {
  const credentials: Credentials & { wait?: Promise<unknown> } = {
    present: () => credentials.wait?.then(() => token) ?? token,
  };
  return credentials;
}

test("a call that waits for what it shows is one of those under way, and nothing is sent when it ends before", async () => {
  const credentials = slowTokens();
  const answering = { channel: false, limits: { ...nativeLimits, maxCalls: 1 } };
  await using both = await pair(echo, answering, { channel: false, credentials });
  const { connection } = both;
  expect((await call({ connection }, "request", { data: 1 })).message?.data).toBe(1);

  const shown = Promise.withResolvers<void>();
  credentials.wait = shown.promise;
  const late = failure(call({ connection }, "request", { timeoutMs: 50 }));
  expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
  const waiting = call({ connection }, "request", { data: 2 });
  expect(await failure(call({ connection }, "request"))).toMatchObject({
    code: "resource_exhausted",
    outcome: "not-sent",
  });
  shown.resolve();
  expect((await waiting).message?.data).toBe(2);

  credentials.wait = new Promise(() => {});
  const lost = failure(call({ connection }, "request"));
  await connection.close({ graceMs: 0 });
  expect(await lost).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});
