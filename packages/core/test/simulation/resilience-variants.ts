import { derive } from "../../src/call/call.ts";
import { ParleyError } from "../../src/call/error.ts";
import { newId } from "../../src/envelope/id.ts";
import { dedupe } from "../../src/resilience/dedupe.ts";
import type { DedupeStore } from "../../src/resilience/dedupe-store.ts";
import { memoryDedupe } from "../../src/resilience/memory-dedupe.ts";
import { isLost, use, type WrongVariant } from "./wrong-variant.ts";

/** Sides of calls that policies make again, where one does one thing wrong, by what that is. */
export const resilienceVariants: Readonly<Record<string, WrongVariant>> = {
  "a client that takes what nobody confirmed for done": {
    world: "resilience",
    options: use(
      (next) => (call) =>
        next(call).catch((thrown: unknown) => {
          if (isLost(thrown) && call.kind === "request")
            return { message: { ...call.message, kind: "reply", data: 1 } };
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
};
