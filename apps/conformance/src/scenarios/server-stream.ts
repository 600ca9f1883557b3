import type { Scenario } from "../scenario.ts";
import { quick } from "./back.ts";
import { nothingOpen, upTo } from "./expect.ts";

const stream = { kinds: ["server-stream"] } as const;

/** SS: one message there, many back. */
export const serverStreamScenarios: readonly Scenario[] = [
  {
    id: "SS-01",
    group: "SS",
    level: "must",
    title: "Streams of 0, 1 and 1 000 items arrive in exact order with exactly one end.",
    needs: stream,
    mutants: ["loses-last-item"],
    async run(env) {
      const connection = await env.connect();
      for (const n of [0, 1, 1000]) {
        const made = env.calls.make(connection, "server-stream", "count", { data: { n } });
        const output = await env.within(`the acceptance of ${n} items`, env.calls.output(made));
        const iterator = output[Symbol.asyncIterator]();
        const items: unknown[] = [];
        for (
          let next = await env.within("an item", iterator.next());
          !next.done;
          next = await env.within("an item", iterator.next())
        ) {
          items.push(next.value.data);
        }
        env.caller.equal(`the items of a stream of ${n}`, items, upTo(n));
        env.caller.equal(
          "what follows the end",
          (await env.within("a read after the end", iterator.next())).done,
          true,
        );
        const finished = await env.event(made.id, "finished");
        env.handler.equal("items that the producer made", finished.detail, n);
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "SS-02",
    group: "SS",
    level: "must",
    title:
      "A producer that fails before item 1, or after item 3, gives its reader exactly 0, or 3, items, then the error, and no end.",
    needs: stream,
    mutants: ["error-replaces-items"],
    async run(env) {
      const connection = await env.connect();
      for (const after of [0, 3]) {
        const data = { n: 10, fail: { after, code: "data_loss", message: `after ${after}`, details: { after } } };
        const made = env.calls.make(connection, "server-stream", "count", { data });
        const items: unknown[] = [];
        const reading = (async () => {
          for await (const item of await env.calls.output(made)) items.push(item.data);
        })();
        const error = await env.within("the error", env.calls.error("a stream that fails", reading));
        env.caller.equal(`the items before an error after ${after}`, items, upTo(after));
        env.caller.equal(
          "the error",
          [error.code, error.message, error.details, error.outcome],
          ["data_loss", `after ${after}`, { after }, "rejected"],
        );
        env.handler.equal("items that the producer made", (await env.event(made.id, "finished")).detail, after);
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "SS-03",
    group: "SS",
    level: "must",
    title:
      "A producer that waits with each item until the reader has the one before is not held up: nothing is buffered.",
    needs: stream,
    mutants: ["buffers-items"],
    async run(env) {
      const connection = await env.connect();
      const made = env.calls.make(connection, "server-stream", "count", { data: { n: 20, gates: "ss3-" } });
      const output = await env.within("the acceptance before the first item", env.calls.output(made));
      const iterator = output[Symbol.asyncIterator]();
      for (const k of upTo(20)) {
        await env.serving.release(`ss3-${k}`);
        const next = await env.within(`item ${k}, with no later one made`, iterator.next());
        env.caller.equal(`item ${k}`, next.value?.data, k);
        env.handler.equal(`gates passed when item ${k} was read`, env.events(made.id, "gate").length <= k + 1, true);
      }
      env.caller.equal("the end", (await env.within("the end", iterator.next())).done, true);
    },
  },
  {
    id: "SS-04",
    group: "SS",
    level: "must",
    title:
      "When the reader cancels after item 3 the producer is told within T, and makes at most a window and one item more.",
    needs: { ...stream, cancel: true },
    mutants: ["keeps-cancel"],
    async run(env) {
      const connection = await env.connect();
      const made = env.calls.make(connection, "server-stream", "count", { data: { endless: true } });
      const iterator = (await env.within("the acceptance", env.calls.output(made)))[Symbol.asyncIterator]();
      for (const k of upTo(3))
        env.caller.equal(`item ${k}`, (await env.within("an item", iterator.next())).value?.data, k);
      env.calls.cancel(made);
      const aborted = await env.event(made.id, "aborted");
      env.handler.equal("why the producer was told to stop", aborted.detail, "cancelled");
      const finished = await env.event(made.id, "finished");
      const most = 3 + env.manifest.limits.windowItems + 1;
      env.handler.ok(`at most ${most} items to be made`, (finished.detail as number) <= most, finished.detail);
      await env.within(
        "the end of the reader",
        iterator.next().catch(() => {}),
      );
      await nothingOpen(env, connection);
    },
  },
  {
    id: "SS-05",
    group: "SS",
    level: "must",
    title: "Leaving the loop cancels the stream: the producer stops, and open streams return to what they were.",
    needs: { ...stream, cancel: true },
    mutants: ["leaks-streams"],
    async run(env) {
      const connection = await env.connect();
      for (const leaveAt of [1, 2, 5]) {
        const made = env.calls.make(connection, "server-stream", "count", { data: { endless: true } });
        const items: unknown[] = [];
        const reading = (async () => {
          for await (const item of await env.calls.output(made)) {
            items.push(item.data);
            if (items.length === leaveAt) break;
          }
        })();
        await env.within("the loop to be left", reading);
        env.caller.equal("the items that were read", items, upTo(leaveAt));
        await env.event(made.id, "aborted");
        await env.event(made.id, "finished");
        env.handler.equal("why the producer was told to stop", env.events(made.id, "aborted")[0]?.detail, "cancelled");
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "SS-06",
    group: "SS",
    level: "must",
    title:
      "A connection that ends between two items, without the end of the stream, is an error, never a clean end; or the stream goes on where it was, on a wire with sessions.",
    needs: stream,
    mutants: ["takes-cut-for-end"],
    async run(env) {
      const session = env.manifest.resume === "session";
      for (const how of ["fin", "rst"] as const) await (session ? env.calls.apart(() => cut(how)) : cut(how));
      // Not every protocol has a way to end a connection in good order beside the end of a call.
      await env.calls.apart(() => cut("goodbye"));

      async function cut(how: "fin" | "rst" | "goodbye"): Promise<void> {
        const { connection } = session
          ? await env.lasting({ reconnect: quick(env) })
          : { connection: await env.connect() };
        const gates = `ss6-${how}-`;
        const made = env.calls.make(connection, "server-stream", "count", { data: { n: 5, gates } });
        await env.serving.release(...upTo(3).map((k) => `${gates}${k}`));
        const items: unknown[] = [];
        const reading = (async () => {
          for await (const item of await env.calls.output(made)) items.push(item.data);
        })();
        reading.catch(() => {});
        await env.until("three items at the reader", () => items.length === 3);
        if (how !== "goodbye") env.tap.cut(how);
        else if (!env.tap.sayGoodbye("listener")) return;
        if (session) {
          await env.serving.release(...upTo(5).map((k) => `${gates}${k}`));
          const failed = await env.within(
            `the end of the stream (${how})`,
            reading.then(
              () => false,
              () => true,
            ),
          );
          if (!failed) {
            env.caller.equal(`the items of a stream that went on (${how})`, items, upTo(5));
            env.handler.equal(`runs of its producer (${how})`, env.events(made.id, "called").length, 1);
            return;
          }
        }
        const error = await env.within(
          `the end of the stream (${how})`,
          env.calls.error(`a stream that was cut (${how})`, reading),
        );
        env.caller.equal(`the items before the cut (${how})`, session ? items.slice(0, 3) : items, upTo(3));
        env.caller.equal(`the code (${how})`, error.code, "unavailable");
        env.caller.equal(`the outcome (${how})`, error.outcome, "unknown");
        env.wire.ok("the tap to have carried the connection", env.tap.connections > 0);
        const aborted = await env.event(made.id, "aborted");
        // Where closing the connection is how one cancels (HTTP/1.1), the producer cannot tell the two apart.
        env.handler.ok(
          `the producer to be told (${how})`,
          ["unavailable", "cancelled"].includes(String(aborted.detail)),
          aborted.detail,
        );
      }
    },
  },
];
