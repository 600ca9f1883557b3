import { createCall, derive } from "../../src/call/call.ts";
import { ParleyError } from "../../src/call/error.ts";
import type { Interceptor, Reply } from "../../src/call/interceptor.ts";
import { withOutcome } from "../../src/call/outcome.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { onGap } from "../../src/transport/reconnect/gap.ts";
import { resilienceVariants } from "./resilience-variants.ts";
import { sessionVariants } from "./session-variants.ts";
import { isLost, use, type WrongVariant } from "./wrong-variant.ts";

type Items = AsyncIterable<Envelope>;

/** Changes what comes back of the streams of a call. */
const onOutput =
  (change: (items: Items) => Items): Interceptor =>
  (next) =>
  async (call): Promise<Reply> => {
    const reply = await next(call);
    return reply.output && call.kind !== "subscribe" ? { output: change(reply.output) } : reply;
  };

const sendsAgain: Interceptor = (next) => (call) =>
  next(call).catch((thrown: unknown) => {
    if (isLost(thrown) && call.kind === "request" && !call.aborted) return next(derive(call, {}));
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
            if (isLost(thrown)) return new Promise<Reply>(() => {});
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
          if (!isLost(thrown)) throw thrown;
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
  ...resilienceVariants,
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
          if (!isLost(thrown) || call.kind !== "request" || call.aborted) throw thrown;
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
