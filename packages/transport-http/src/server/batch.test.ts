import { HELLO, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { described, type PlainAnswer, pair, send } from "../../test/pair.ts";

test("a call of a batch is cancelled by who sent it, and by no other source that knows its id", async () => {
  const told: string[] = [];
  const begun = Promise.withResolvers<void>();
  await using it = await pair((one) => {
    if (one.message.type === HELLO) return described(one, {});
    if (one.message.id === "later") return { message: reply(one.message, "/agent") };
    one.onAbort({ callAborted: ({ code }) => told.push(code) });
    begun.resolve();
    return new Promise(() => {});
  });
  const post = (event: object): Promise<PlainAnswer> =>
    send(it.url, {
      headers: { "content-type": "application/cloudevents+ndjson" },
      body: `${JSON.stringify({ specversion: "1.0", parley: "1", type: "text.echo.v1", source: "/caller", ...event })}\n`,
    });
  const pending = post({ id: "held", kind: "request" });
  await begun.promise;
  const cancel = { id: "held.x", kind: "cancel", inreplyto: "held" };
  await post({ ...cancel, source: "/other" });
  await post({ ...cancel, inreplyto: "unknown" });
  expect(JSON.parse((await post({ id: "later", kind: "request" })).text)).toMatchObject({ kind: "reply" });
  expect(told).toEqual([]);
  await post(cancel);
  expect(told).toEqual(["cancelled"]);
  await it.listener.close({ graceMs: 0 });
  await pending.catch(() => {});
});
