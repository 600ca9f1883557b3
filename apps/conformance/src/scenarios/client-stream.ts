import { createHash } from "node:crypto";
import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";

const upload = { kinds: ["client-stream"] } as const;

/** CS: many messages there, one back. */
export const clientStreamScenarios: readonly Scenario[] = [
  {
    id: "CS-01",
    group: "CS",
    level: "must",
    title: "0 and 1 000 items go up, the input ends, and the one reply has their number and sha256.",
    needs: upload,
    mutants: ["drops-input"],
    async run(env) {
      const connection = await env.connect();
      for (const n of [0, 1000]) {
        const input = upTo(n).map((k) => ({ k, pad: "x".repeat(k % 50) }));
        const made = env.calls.make(connection, "client-stream", "upload", { input });
        const reply = await env.within(`the reply to ${n} items`, env.calls.message(made), 2 * env.t);
        const sha256 = createHash("sha256")
          .update(input.map((item) => JSON.stringify(item)).join("\n"))
          .digest("hex");
        env.caller.equal(`the reply to ${n} items`, reply.data, { count: n, sha256 });
        env.handler.equal("items that the handler read", (await env.event(made.id, "input-end")).detail, n);
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "CS-02",
    group: "CS",
    level: "must",
    title:
      "A handler that answers after item 10 is heard within T; the rest of the input is no longer read, and nothing leaks.",
    needs: upload,
    mutants: ["waits-for-input-end"],
    async run(env) {
      const connection = await env.connect();
      const input = endlessInput([{ answerAfter: 10 }]);
      const made = env.calls.make(connection, "client-stream", "upload", { input: input.items });
      const reply = await env.within("the early reply", env.calls.message(made));
      env.caller.equal("the early reply", reply.data, { early: true, count: 10 });
      await env.within("the input to be let go", input.left);
      env.handler.equal("how the handler ended", env.events(made.id, "returned").length, 1);
      await nothingOpen(env, connection);
      if (env.manifest.kinds.request !== "none") await env.sentinel(connection);
    },
  },
  {
    id: "CS-03",
    group: "CS",
    level: "must",
    title: "When the caller gives up in mid-upload the handler's input throws cancelled; it does not end cleanly.",
    needs: { ...upload, cancel: true },
    mutants: ["takes-cancel-for-end"],
    async run(env) {
      const connection = await env.connect();
      const input = endlessInput([], 5);
      const made = env.calls.make(connection, "client-stream", "upload", { input: input.items });
      await env.until("five items at the handler", () => env.events(made.id, "item").length >= 5);
      env.calls.cancel(made);
      const error = await env.within("the caller's end", env.calls.error("a call that was cancelled", made.reply));
      env.caller.equal("the caller's code", error.code, "cancelled");
      const ended = await env.event(made.id, "input-error");
      env.handler.equal("how the handler's input ended", ended.detail, "cancelled");
      env.handler.equal("clean ends that the handler saw", env.events(made.id, "input-end").length, 0);
      input.stop();
      await nothingOpen(env, connection);
    },
  },
  {
    id: "CS-04",
    group: "CS",
    level: "must",
    title: "A handler that rejects at item 5 stops a sender that still writes, with that error, within T.",
    needs: upload,
    mutants: ["hides-early-error"],
    async run(env) {
      const connection = await env.connect();
      const input = endlessInput([{ failAfter: 5, code: "failed_precondition", message: "enough" }]);
      const made = env.calls.make(connection, "client-stream", "upload", { input: input.items });
      const error = await env.within("the early error", env.calls.error("an upload that is rejected", made.reply));
      env.caller.equal(
        "the early error",
        [error.code, error.message, error.outcome],
        ["failed_precondition", "enough", "rejected"],
      );
      await env.within("the input to be let go", input.left);
      env.handler.equal("items that the handler read", env.events(made.id, "item").length, 5);
      await nothingOpen(env, connection);
    },
  },
];

/**
 * An input that goes on, an item a turn, until it is left; after `pauseAfter` items it waits instead.
 * `left` resolves when whoever reads it has let it go.
 */
function endlessInput(first: readonly unknown[], pauseAfter = Number.POSITIVE_INFINITY) {
  const left = Promise.withResolvers<void>();
  const pause = Promise.withResolvers<void>();
  async function* items(): AsyncGenerator<unknown, void, undefined> {
    try {
      yield* first;
      for (let k = first.length + 1; ; k++) {
        yield { k };
        if (k >= pauseAfter) return await pause.promise;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      left.resolve();
    }
  }
  return { items: items(), left: left.promise, stop: pause.resolve };
}
