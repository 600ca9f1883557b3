import { type Code, codes } from "@parley/core";
import type { Scenario } from "../scenario.ts";
import { CANARY, type ThrowVariant, throwVariants } from "../serving/throwing.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { nativeTerms } from "./native-terms.ts";

const request = { kinds: ["request"] } as const;

const everyCode = Object.keys(codes) as readonly Code[]; // the keys of a Record<Code, …>

/** ERR: errors say the same on both sides, and no more than they should. */
export const errorScenarios: readonly Scenario[] = [
  {
    id: "ERR-01",
    group: "ERR",
    level: "must",
    title:
      "Every code arrives with its message, details and time to wait, as the same class of error, in a reply and in mid-stream.",
    needs: request,
    mutants: ["collapses-codes"],
    limit: 20,
    async run(env) {
      const connection = await env.connect();
      for (const code of everyCode) {
        const details = { code, list: [1, null, "x"], bytes: Buffer.from(upTo(255)).toString("base64") };
        const told = { code, message: `told ${code}`, details, retryAfterMs: 1234 };
        const made = env.calls.make(connection, "request", "fail", { data: told });
        const error = await env.within(
          `the error ${code}`,
          env.calls.error(`a handler that fails with ${code}`, made.reply),
        );
        same(code, error);
        env.handler.equal(`what the handler threw for ${code}`, (await env.event(made.id, "threw")).detail, code);
        if (env.manifest.kinds["server-stream"] === "none") continue;
        const stream = env.calls.make(connection, "server-stream", "count", {
          data: { n: 9, fail: { after: 2, ...told } },
        });
        const items: unknown[] = [];
        const reading = (async () => {
          for await (const item of await env.calls.output(stream)) items.push(item.data);
        })();
        same(
          code,
          await env.within(
            `the error ${code} in mid-stream`,
            env.calls.error(`a stream that fails with ${code}`, reading),
          ),
        );
        env.caller.equal(`the items before ${code}`, items, [1, 2]);

        function same(expected: Code, observed: typeof error): void {
          env.caller.equal(
            `the error ${expected}`,
            [observed.code, observed.message, observed.details, observed.retryAfterMs, observed.outcome, observed.name],
            [expected, told.message, details, told.retryAfterMs, "rejected", className(expected)],
          );
          env.caller.equal(
            `whether ${expected} is worth trying again`,
            codes[observed.code].retryable,
            codes[expected].retryable,
          );
        }
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "ERR-02",
    group: "ERR",
    level: "must",
    title: "A message with white space, line breaks, %, characters of every plane and 4 KiB of text arrives as it was.",
    needs: request,
    mutants: ["strips-messages"],
    async run(env) {
      const connection = await env.connect();
      const messages = [
        "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n",
        "100 % of %20 and %E2%98%BA",
        "m".repeat(4096),
        `\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n%${"m".repeat(4096)}`,
        "",
      ];
      for (const message of messages) {
        const made = env.calls.make(connection, "request", "fail", { data: { code: "aborted", message } });
        const error = await env.within("the error", env.calls.error("a handler that fails", made.reply));
        env.caller.equal("the code", error.code, "aborted");
        env.caller.equal("the message", error.message, message);
        env.handler.equal("what the handler threw", (await env.event(made.id, "threw")).detail, "aborted");
      }
    },
  },
  {
    id: "ERR-03",
    group: "ERR",
    level: "must",
    title: "Whatever else a handler throws becomes internal, once, and no stack, path or secret of it is on the wire.",
    needs: request,
    mutants: ["leaks-stacks"],
    async run(env) {
      const connection = await env.connect();
      for (const variant of throwVariants) {
        const made = env.calls.make(connection, "request", "throw", { data: { variant } });
        const error = await env.within(
          `the error for ${variant}`,
          env.calls.error(`a handler that throws ${variant}`, made.reply),
        );
        env.caller.equal(`the code for ${variant}`, [error.code, error.outcome], ["internal", "rejected"]);
        env.handler.equal(`runs of the handler that throws ${variant}`, env.events(made.id, "called").length, 1);
      }
      const late = env.calls.make(connection, "request", "throw", {
        data: { variant: "an Error" satisfies ThrowVariant, gate: "late" },
      });
      await env.event(late.id, "gate");
      env.calls.cancel(late);
      const first = await env.within("the end of a cancelled call", env.calls.error("a cancelled call", late.reply));
      env.caller.equal("the code of a call that was settled before its handler threw", first.code, "cancelled");
      await env.serving.release("late");
      await env.event(late.id, "threw");
      await env.sentinel(connection);
      env.wire.ok("the errors to have passed the tap", env.tap.bytes("listener") > 0);
      for (const secret of [CANARY, "node:internal", "at Object.", "at async ", ".ts:", ".js:", process.cwd()]) {
        env.wire.equal(`"${secret}" among the bytes of the listener`, env.tap.contains("listener", secret), false);
      }
    },
  },
  {
    id: "ERR-04",
    group: "ERR",
    level: "must",
    title: "The published table of error codes holds on the wire, both ways, in the terms of its protocol.",
    needs: request,
    mutants: ["success-with-error"],
    limit: 14,
    run: nativeTerms,
  },
  {
    id: "ERR-05",
    group: "ERR",
    level: "must",
    title: "A throwing handler leaves 20 other requests in flight, and the process, as they were.",
    needs: request,
    mutants: ["ends-process"],
    async run(env) {
      const connection = await env.connect();
      const waiting = upTo(20).map((n) =>
        env.calls.make(connection, "request", "gate", { data: { gate: `e${n}`, value: n } }),
      );
      await env.until("20 calls at their gates", () => env.events(undefined, "gate").length === 20);
      for (const variant of throwVariants) {
        const made = env.calls.make(connection, "request", "throw", { data: { variant } });
        const error = await env.within(
          `the error for ${variant}`,
          env.calls.error(`a handler that throws ${variant}`, made.reply),
        );
        env.caller.equal(`the code for ${variant}`, error.code, "internal");
      }
      await env.serving.release(...upTo(20).map((n) => `e${n}`));
      const replies = await env.within("the 20 others", Promise.all(waiting.map((one) => env.calls.message(one))));
      env.caller.equal(
        "the replies of the 20 others",
        replies.map(({ data }) => data),
        upTo(20),
      );
      env.handler.equal("calls that were aborted", env.events(undefined, "aborted").length, 0);
      env.processes.equal("the end of the serving process", env.serving.exited, undefined);
      await nothingOpen(env, connection);
    },
  },
];

function className(code: Code): string {
  if (code === "unavailable" || code === "deadline_exceeded" || code === "resource_exhausted") return "TransportError";
  return code === "unauthenticated" || code === "permission_denied" ? "AuthenticationError" : "ParleyError";
}
