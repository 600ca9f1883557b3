import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { Context, contextKey } from "../call/context.ts";
import { ParleyError } from "../call/error.ts";
import { systemRuntime } from "../runtime/runtime.ts";
import { type Calling, type CallStart, OpenCall } from "./open-call.ts";

const calling: Calling = {
  answer: () => new Promise(() => {}),
  source: "/c",
  timeoutMs: undefined,
  runtime: systemRuntime,
  log: undefined,
};
const start: CallStart = { kind: "request", type: "a.b.v1", data: 1, options: undefined, parent: undefined };

test.each([
  [undefined, "unknown"],
  [true, "unknown"],
  [false, "not-sent"],
])("what is given up when it was sent (%s) has the outcome %s", async (sent, outcome) => {
  const open = new OpenCall(calling, { ...start, ...(sent === undefined ? {} : { wasSent: () => sent }) });
  const answer = failureOf(open.answered());
  open.abort(new ParleyError("cancelled", "enough", { outcome: "unknown" }));
  expect(await answer).toMatchObject({ code: "cancelled", message: "enough", outcome });
});

test("those who carry a call find what was put in its context", () => {
  const key = contextKey<string>("a note");
  const context = new Context();
  context.set(key, "handle with care");
  const open = new OpenCall(calling, { ...start, context });
  expect(open.call.context.get(key)).toBe("handle with care");
  open.close();
});
