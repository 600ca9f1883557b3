import { createCall, derive } from "../../src/call/call.ts";
import { ParleyError } from "../../src/call/error.ts";
import type { Interceptor, Reply } from "../../src/call/interceptor.ts";
import { withOutcome } from "../../src/call/outcome.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { newId } from "../../src/envelope/id.ts";
import { dedupe } from "../../src/resilience/dedupe.ts";
import type { DedupeStore } from "../../src/resilience/dedupe-store.ts";
import { memoryDedupe } from "../../src/resilience/memory-dedupe.ts";
import { onGap } from "../../src/transport/reconnect/gap.ts";
import { sessionVariants } from "./session-variants.ts";
import type { WorldOptions } from "./world.ts";
import type { WrongVariant } from "./wrong-variant.ts";

type Items = AsyncIterable<Envelope>;

/** Changes what comes back of the streams of a call. */
const onOutput =
  (change: (items: Items) => Items): Interceptor =>
  (next) =>
  async (call): Promise<Reply> => {
    const reply = await next(call);
    return reply.output && call.kind !== "subscribe" ? { output: change(reply.output) } : reply;
  };

const lost = (thrown: unknown): boolean => thrown instanceof ParleyError && thrown.code === "unavailable";

const use = (interceptor: Interceptor): WorldOptions => ({ use: () => [interceptor] });

const sendsAgain: Interceptor = (next) => (call) =>
  next(call).catch((thrown: unknown) => {
    if (lost(thrown) && call.kind === "request" && !call.aborted) return next(derive(call, {}));
    throw thrown;
  });

const saysNotSent: Interceptor = (next) => (call) =>
  next(call).catch((thrown: unknown) => {
    throw thrown instanceof ParleyError ? withOutcome(thrown, "not-sent") : thrown;
  });

const subscribesInSilence: Interceptor = (next) => (call) => {
  if (call.kind === "subscribe") call.context.set(onGap, () => {});
  return next(call);
};

const losesAnItem = onOutput(async function* (items) {
  let seen = 0;
  for await (const item of items) if (++seen !== 3) yield item;
});

/** What the checks of the simulated worlds must notice, by what is done wrong. */
export const wrongVariants: Readonly<Record<string, WrongVariant>> = {
  "a client that sends again what may have been done": {
    world: "channel",
    options: use(sendsAgain),
    noticed: /ran 2 times/,
  },
  "a client that says not-sent of what was sent": {
    world: "channel",
    options: use(saysNotSent),
    noticed: /failed as not-sent, and ran/,
  },
  "a client that never settles what the cut took": {
    world: "channel",
    options: use(
      (next) => (call) =>
        next(createCall({ kind: call.kind, message: call.message, input: call.input, context: call.context })).catch(
          (thrown: unknown) => {
            if (lost(thrown)) return new Promise<Reply>(() => {});
            throw thrown;
          },
        ),
    ),
    noticed: /never settled/,
  },
  "a client that takes a cut for the end of a stream": {
    world: "channel",
    options: use(
      onOutput(async function* (items) {
        try {
          yield* items;
        } catch (thrown) {
          if (!lost(thrown)) throw thrown;
        }
      }),
    ),
    noticed: /ended in good order after/,
  },
  "a client that loses an item": { world: "channel", options: use(losesAnItem), noticed: /got item/ },
  "a client that delivers an item twice": {
    world: "channel",
    options: use(
      onOutput(async function* (items) {
        let seen = 0;
        for await (const item of items) {
          yield item;
          if (++seen === 3) yield item;
        }
      }),
    ),
    noticed: /got item/,
  },
  "a client that delivers items out of order": {
    world: "channel",
    options: use(
      onOutput(async function* (items) {
        let held: Envelope | undefined;
        for await (const item of items) {
          if (held) yield item;
          if (held) yield held;
          held = held ? undefined : item;
        }
        if (held) yield held;
      }),
    ),
    noticed: /got item/,
  },
  "a client that subscribes again in silence": {
    world: "channel",
    options: use(subscribesInSilence),
    noticed: /was told of no gap/,
  },
  "a client that answers from what it remembers of another call": {
    world: "channel",
    options: {
      use: () => {
        let kept: Reply | undefined;
        return [
          (next) => async (call) => {
            const reply = await next(call);
            if (call.kind !== "request") return reply;
            kept ??= reply;
            return kept;
          },
        ];
      },
    },
    noticed: /none of its own/,
  },
  "a client that takes what nobody confirmed for done": {
    world: "resilience",
    options: use(
      (next) => (call) =>
        next(call).catch((thrown: unknown) => {
          if (lost(thrown) && call.kind === "request") return { message: { ...call.message, kind: "reply", data: 1 } };
          throw thrown;
        }),
    ),
    noticed: /succeeded, and did not run|none of its own/,
  },
  "a client that gives each attempt a new id": {
    world: "resilience",
    options: {
      inner: (runtime) => [
        (next) => (call) => {
          const { idempotencykey: _, ...message } = call.message;
          return next(call.kind === "request" ? derive(call, { message: { ...message, id: newId(runtime) } }) : call);
        },
      ],
    },
    noticed: /ran \d times in life/,
  },
  "a client that stays beyond its deadline": {
    world: "resilience",
    options: {
      use: (runtime) => [
        (next) => (call) =>
          next(call).catch(async (thrown: unknown) => {
            await new Promise<void>((resolve) => runtime.setTimer(resolve, 4_000));
            throw thrown;
          }),
      ],
    },
    noticed: /took \d+ ms, and had/,
  },
  "a client that gives up without a cause": {
    world: "resilience",
    options: {
      inner: (runtime) => [
        (next) => (call) =>
          runtime.now() > 1_000 && call.kind === "request"
            ? Promise.reject(new ParleyError("internal", "lost interest"))
            : next(call),
      ],
    },
    noticed: /without a cause|was not answered/,
  },
  "a server that remembers nothing": {
    world: "resilience",
    options: { serverUse: () => [] },
    noticed: /ran \d times in life/,
  },
  "a server that forgets too soon": {
    world: "resilience",
    options: { serverUse: (runtime) => [dedupe({ windowMs: 20, runtime })] },
    noticed: /ran \d times in life/,
  },
  "a server that takes what it may have forgotten for new": {
    world: "resilience",
    options: {
      serverUse(runtime) {
        const memory = memoryDedupe({ runtime });
        const store: DedupeStore = {
          claim: (key, fingerprint) => memory.claim(key, fingerprint),
          settle: (key, result, bytes) => memory.settle(key, result, bytes),
          release: (key) => memory.release(key),
        };
        return [dedupe({ graceMs: 500, store, runtime })];
      },
    },
    noticed: /ran \d times/,
  },
  "a caller that does not say how old its call is": {
    world: "resilience",
    options: {
      inner: () => [
        (next) => (call) => {
          const { attempt: _, agems: __, ...message } = call.message;
          return next(message.idempotencykey === undefined ? call : derive(call, { message }));
        },
      ],
    },
    noticed: /ran \d times/,
  },
  "a server that runs again what it gave up": {
    world: "resilience",
    options: { serverUse: (runtime) => [dedupe({ graceMs: 0, idempotent: () => true, runtime })] },
    noticed: /ran \d times in life/,
  },
  "a caller that counts no items": {
    world: "broker",
    options: {
      mischief: {
        tamper: ({ seq, ...message }) =>
          message.kind === "item" || message.kind === "end" || seq === undefined ? message : { ...message, seq },
      },
    },
    noticed: /got item|ended in good order/,
  },
  "an agent that takes what comes again for new": {
    world: "broker",
    options: {
      mischief: {
        tamper: (message, repeated) =>
          repeated && message.kind === "request" ? { ...message, id: `${message.id}x` } : message,
      },
    },
    noticed: /ran 2 times/,
  },
  "peers that ask for no sign of life": {
    world: "broker",
    options: { mischief: { leaseMs: 1e9 } },
    noticed: /never settled|open calls when all was over/,
  },
  "a client that sends over the broker again what may have been done": {
    world: "broker",
    options: use(
      (next) => (call) =>
        next(call).catch((thrown: unknown) => {
          if (!lost(thrown) || call.kind !== "request" || call.aborted) throw thrown;
          return next(derive(call, { message: { ...call.message, id: `${call.message.id}-2` } }));
        }),
    ),
    noticed: /ran \d times/,
  },
  "a client that says not-sent of what the broker took": {
    world: "broker",
    options: use(saysNotSent),
    noticed: /failed as not-sent, and ran/,
  },
  ...sessionVariants,
  "a client that sends again what was lost with its session": {
    world: "sessions",
    options: use(sendsAgain),
    noticed: /ran 2 times/,
  },
  "a client that says not-sent of what was lost with its session": {
    world: "sessions",
    options: use(saysNotSent),
    noticed: /failed as not-sent, and ran/,
  },
  "a client that subscribes again in silence, without its session": {
    world: "sessions",
    options: use(subscribesInSilence),
    noticed: /was told of no gap/,
  },
  "a client that calls unavailable what it knows to be lost": {
    world: "sessions",
    options: use(
      onOutput(async function* (items) {
        try {
          yield* items;
        } catch (thrown) {
          throw new ParleyError("unavailable", "the stream has ended", { cause: thrown });
        }
      }),
    ),
    noticed: /calls it unavailable/,
  },
  "a client that lets calls overtake each other": {
    world: "sessions",
    options: {
      use: (runtime) => [
        (next) => async (call) => {
          if (call.kind === "notify") await new Promise<void>((resolve) => runtime.setTimer(resolve, 50));
          return next(call);
        },
      ],
    },
    noticed: /which was asked for first/,
  },
};
