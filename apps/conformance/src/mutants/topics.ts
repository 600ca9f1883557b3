import { derive, type Envelope, type Handler } from "@parley/core/transport";
import { detached, type Mutant, mutant, withOutput } from "./mutate.ts";

/** The call with another filter or topic. */
function about(call: Parameters<Handler>[0], subject: string): Parameters<Handler>[0] {
  return derive(call, { message: { ...call.message, subject } });
}

/** Mutants of PS. */
export const topicMutants: readonly Mutant[] = [
  mutant("resolves-early", "PS-01", "says that a subscription is active before it is", () => ({
    call: (next) => async (call) => {
      if (call.kind !== "subscribe") return next(call);
      return {
        output: (async function* () {
          await new Promise((resolve) => setTimeout(resolve, 20));
          const { output } = await next(call);
          if (output) yield* output;
        })(),
      };
    },
  })),
  mutant("delivers-in-turn", "PS-02", "gives each publication to one subscriber", () => {
    let subscribers = 0;
    return {
      handler: (next) => async (call) => {
        const reply = await next(call);
        if (call.kind !== "subscribe") return reply;
        const own = subscribers++;
        return withOutput(reply, async function* (items) {
          let count = 0;
          for await (const item of items) if (count++ % subscribers === own) yield item;
        });
      },
    };
  }),
  mutant("matches-prefixes", "PS-03", "takes topics that begin alike for the same", () => ({
    handler: (next) => async (call) => {
      if (call.kind !== "subscribe") return next(call);
      const prefix = call.message.subject ?? "";
      return withOutput(await next(about(call, "#")), async function* (items) {
        for await (const item of items) if (item.subject?.startsWith(prefix)) yield item;
      });
    },
  })),
  mutant("delivers-late", "PS-04", "goes on after the end of a subscription", () => ({
    call: (next) => async (call) => (call.kind === "subscribe" ? next(detached(call)) : next(call)),
  })),
  mutant("delivers-twice", "PS-05", "delivers to overlapping subscriptions twice", () => ({
    handler: (next) => async (call) => {
      const reply = await next(call);
      if (call.kind !== "subscribe") return reply;
      return withOutput(reply, async function* (items) {
        for await (const item of items) yield* [item, item];
      });
    },
  })),
  mutant("replays-old", "PS-06", "gives a late subscriber what was published before", () => {
    const old: Envelope[] = [];
    return {
      handler: (next) => async (call) => {
        if (call.kind === "publish") old.push({ ...call.message, kind: "item" });
        const reply = await next(call);
        if (call.kind !== "subscribe") return reply;
        const missed = old.filter(({ subject }) => subject === call.message.subject);
        return withOutput(reply, async function* (items) {
          yield* missed;
          yield* items;
        });
      },
    };
  }),
  mutant("builds-patterns", "PS-07", "makes patterns of the characters in a topic", () => ({
    handler: (next) => (call) => {
      if (call.kind !== "subscribe") return next(call);
      return next(
        about(call, (call.message.subject ?? "").replaceAll("*", "+").replaceAll(".", "/").replace(/>$/, "#")),
      );
    },
  })),
];
