import type { Envelope } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { back, quick } from "./back.ts";
import { upTo } from "./expect.ts";
import { wayTo } from "./way.ts";

/** Items of a stream that is cut. */
const ITEMS = 21;

/** REC: streams that are taken up again where they were cut. */
export const resumeScenarios: readonly Scenario[] = [
  {
    id: "REC-03",
    group: "REC",
    level: "must",
    title:
      "A stream that is cut after item k, with the next one on its way or not, goes on: each item arrives once, none is missing, and its handler runs once.",
    needs: { kinds: ["request", "server-stream"], resume: true },
    mutants: ["skips-what-was-cut", "repeats-what-was-cut"],
    limit: 60,
    async run(env) {
      const way = await wayTo(env);
      const { connection } = await env.lasting({ url: way.url, reconnect: quick(env) });
      const cuts = env.profile === "full" ? upTo(ITEMS).map((k) => k - 1) : [0, 1, 7, 20];
      for (const k of cuts) {
        for (const lost of [false, true]) {
          const gates = `rec3-${k}-${lost ? "lost" : "kept"}-`;
          const made = env.calls.make(connection, "server-stream", "count", { data: { n: ITEMS, gates } });
          const reader = await readerOf(env, made);
          await env.serving.release(...upTo(k).map((n) => `${gates}${n}`));
          await env.until(`${k} items`, () => reader.items.length === k);
          const cuts = way.attempts;
          if (lost) {
            // The item leaves its handler, and never comes.
            way.deafen();
            await env.serving.release(`${gates}${k + 1}`);
            await env.until("the item after it to be made", () => gatesOf(env, made) >= Math.min(k + 2, ITEMS));
          }
          way.cut(k % 2 === 0 ? "rst" : "fin");
          way.clear();
          await env.serving.release(...upTo(ITEMS).map((n) => `${gates}${n}`));
          await env.within(`the end of a stream that was cut after item ${k}`, reader.done, 3 * env.t);
          env.caller.equal(`the items of a stream that was cut after item ${k}`, reader.items, upTo(ITEMS));
          env.handler.equal("how often it was asked for", env.events(made.id, "called").length, 1);
          env.wire.ok("the stream to have been taken up on another connection", way.attempts > cuts, way.attempts);
        }
      }
    },
  },
  {
    id: "REC-04",
    group: "REC",
    level: "must",
    title:
      "A stream that was cut for longer than it can be taken up again ends with data_loss after what had come, never with a gap.",
    needs: { kinds: ["request", "server-stream"], resume: true },
    mutants: ["passes-over-gaps"],
    limit: 20,
    async run(env) {
      const tuning = { resumeWindowMs: env.t / 4 };
      const way = await wayTo(env, { tuning });
      const { connection } = await env.lasting({ url: way.url, tuning, reconnect: quick(env) });
      const made = env.calls.make(connection, "server-stream", "count", { data: { n: 6, gates: "rec4-" } });
      const reader = await readerOf(env, made);
      await env.serving.release("rec4-1", "rec4-2", "rec4-3");
      await env.until("3 items", () => reader.items.length === 3);
      way.block();
      await env.serving.release("rec4-4", "rec4-5", "rec4-6");
      const lost = await env.within(
        "the end of a stream that was cut for long",
        env.calls.error("a stream that was cut for longer than it can be taken up", reader.done),
        3 * env.t,
      );
      env.caller.equal("how it ends", [lost.code, lost.outcome], ["data_loss", "unknown"]);
      env.caller.equal("the items before the cut", reader.items, upTo(3));
      way.clear();
      await back(env, connection);
      env.caller.equal("the items after the end", reader.items, upTo(3));
      env.handler.equal("how often it was asked for", env.events(made.id, "called").length, 1);
    },
  },
];

interface Reader {
  readonly items: unknown[];
  /** Resolves with the end of the stream. */
  readonly done: Promise<void>;
}

async function readerOf(env: Environment, made: Made): Promise<Reader> {
  const output: AsyncIterable<Envelope> = await env.within("a stream", env.calls.output(made));
  const items: unknown[] = [];
  const done = (async () => {
    for await (const { data } of output) items.push(data);
  })();
  done.catch(() => {});
  return { items, done };
}

/** How many gates the handler of a stream has come to. */
function gatesOf(env: Environment, { id }: Made): number {
  return env.events(id, "gate").length + env.events(id, "finished").length;
}
