import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { Feed } from "./feed.ts";

const chat = { kinds: ["bidi-stream"] } as const;

/** BD: many messages there and many back, each direction by itself. */
export const bidiStreamScenarios: readonly Scenario[] = [
  {
    id: "BD-01",
    group: "BD",
    level: "must",
    title: "100 lock-step exchanges, then 1 000 items each way without waiting, all arrive in order.",
    needs: chat,
    mutants: ["half-duplex"],
    limit: 14,
    async run(env) {
      const connection = await env.connect();
      const feed = new Feed();
      const made = env.calls.make(connection, "bidi-stream", "chat", { input: feed });
      const output = (await env.within("the acceptance before any item", env.calls.output(made)))[
        Symbol.asyncIterator
      ]();
      const read = async (): Promise<unknown> => (await env.within("an item", output.next())).value?.data;
      for (const k of upTo(100)) {
        feed.push({ say: k });
        env.caller.equal(`answer ${k} in lock-step`, await read(), { said: k });
      }
      feed.push({ push: 1000 });
      for (const k of upTo(1000)) feed.push({ note: k });
      for (const k of upTo(1000)) env.caller.equal(`item ${k} of a flood both ways`, await read(), { pushed: k });
      feed.push({ notes: true });
      env.caller.equal("what the handler read of the flood", await read(), { notes: upTo(1000) });
      feed.end();
      env.caller.equal("the last word", await read(), { inputEnded: true });
      env.caller.equal("the end", (await env.within("the end", output.next())).done, true);
      env.handler.equal(
        "items that the handler read",
        (await env.event(made.id, "input-end")).detail,
        100 + 1 + 1000 + 1,
      );
      await nothingOpen(env, connection);
    },
  },
  {
    id: "BD-02",
    group: "BD",
    level: "must",
    title: "The end of either direction leaves the other usable for 100 more items.",
    needs: chat,
    mutants: ["closes-both-directions"],
    async run(env) {
      const connection = await env.connect();
      const up = new Feed();
      const made = env.calls.make(connection, "bidi-stream", "chat", { input: up });
      const output = (await env.within("the acceptance", env.calls.output(made)))[Symbol.asyncIterator]();
      up.push({ afterEnd: 100 });
      up.end();
      await env.event(made.id, "input-end");
      for (const k of upTo(100)) {
        const next = await env.within(`item ${k} after the input's end`, output.next());
        env.caller.equal(`item ${k} after the input's end`, next.value?.data, { pushed: k });
      }
      env.caller.equal("the last word", (await env.within("the last item", output.next())).value?.data, {
        inputEnded: true,
      });
      env.caller.equal("the end", (await env.within("the end", output.next())).done, true);

      const down = new Feed();
      const other = env.calls.make(connection, "bidi-stream", "chat", { input: down });
      const answers = (await env.within("the acceptance", env.calls.output(other)))[Symbol.asyncIterator]();
      down.push({ finishOutput: true });
      await env.event(other.id, "seen");
      for (const k of upTo(100)) down.push({ note: k });
      down.end();
      const ended = await env.event(other.id, "input-end");
      env.handler.equal("items read after the output had no more to say", ended.detail, 101);
      env.caller.equal("the end of a silent output", (await env.within("the end", answers.next())).done, true);

      const unread = new Feed();
      const third = env.calls.make(connection, "bidi-stream", "chat", { input: unread });
      const rest = (await env.within("the acceptance", env.calls.output(third)))[Symbol.asyncIterator]();
      unread.push({ leaveInput: 100 });
      for (const k of upTo(100)) {
        const next = await env.within(`item ${k} after the handler stopped reading`, rest.next());
        env.caller.equal(`item ${k} after the handler stopped reading`, next.value?.data, { pushed: k });
      }
      env.caller.equal("the end", (await env.within("the end", rest.next())).done, true);
      await nothingOpen(env, connection);
    },
  },
  {
    id: "BD-03",
    group: "BD",
    level: "must",
    title:
      "Ten streams interleaved on one connection do not mix; an error in one ends only that one, with its cause on both sides.",
    needs: chat,
    mutants: ["mixes-streams"],
    async run(env) {
      const connection = await env.connect();
      const chats = await Promise.all(
        upTo(10).map(async (n) => {
          const feed = new Feed();
          const made = env.calls.make(connection, "bidi-stream", "chat", { input: feed });
          const output = await env.within("the acceptance", env.calls.output(made));
          return { n, feed, made, output: output[Symbol.asyncIterator]() };
        }),
      );
      for (const k of upTo(20)) {
        for (const { n, feed } of chats) feed.push({ say: `${n}/${k}` });
        for (const { n, output } of chats) {
          const next = await env.within("an item", output.next());
          env.caller.equal(`answer ${k} on stream ${n}`, next.value?.data, { said: `${n}/${k}` });
        }
        if (k !== 10) continue;
        const failing = chats.pop();
        failing?.feed.push({ fail: { code: "aborted", message: "this one", details: { n: 10 } } });
        const error = await env.within(
          "the error",
          env.calls.error("a stream whose handler fails", Promise.resolve(failing?.output.next())),
        );
        env.caller.equal(
          "the error of one",
          [error.code, error.message, error.details],
          ["aborted", "this one", { n: 10 }],
        );
        env.handler.equal(
          "the cause at the handler",
          (await env.event(failing?.made.id ?? "", "threw")).detail,
          "aborted",
        );
      }
      for (const { n, feed, output, made } of chats) {
        feed.end();
        env.caller.equal(`the last word on stream ${n}`, (await env.within("an item", output.next())).value?.data, {
          inputEnded: true,
        });
        env.caller.equal(`the end of stream ${n}`, (await env.within("the end", output.next())).done, true);
        env.handler.equal(`items read on stream ${n}`, (await env.event(made.id, "input-end")).detail, 20);
      }
      await nothingOpen(env, connection);
    },
  },
];
