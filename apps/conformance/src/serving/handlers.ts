import { createHash } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Code, HandledCall, Handlers } from "@parley/core";
import { chat } from "./chat.ts";
import { callerContract, type conformance } from "./contract.ts";
import { Deliveries, type Delivery } from "./deliveries.ts";
import type { Gates } from "./gates.ts";
import type { Note } from "./note.ts";
import { type Intake, intake, numbered } from "./numbered.ts";
import { type ThrowVariant, throwVariant } from "./throwing.ts";
import { codeOf, type Told, toldError } from "./told.ts";

/** A handler for each operation of the fixture. Input is what the suite's own scenarios send. */
export function handlers(note: Note, gates: Gates, refuseNext: (code: Code) => void): Handlers<typeof conformance> {
  /** Notes how an operation ends. */
  const noted =
    <Input>(run: (input: Input, call: HandledCall) => unknown) =>
    async (input: unknown, call: HandledCall): Promise<unknown> => {
      try {
        const output = await run(input as Input, call); // what the scenarios send
        note("returned", call);
        return output;
      } catch (error) {
        note("threw", call, codeOf(error));
        throw error;
      }
    };

  const wait = async (gate: string, call: HandledCall, stubborn = false): Promise<void> => {
    note("gate", call, gate);
    await gates.pass(gate, stubborn ? undefined : call.signal);
  };

  const deliveries = new Deliveries();

  const stalls = monitorEventLoopDelay({ resolution: 5 });
  stalls.enable();

  return {
    /** Gives back what it got. */
    echo: (input) => input,
    newer: (input) => input,
    older: (input) => input,
    /** Answers without data. */
    nothing: () => {},
    repeat: noted<{ text: string; times: number }>(({ text, times }) => text.repeat(times)),
    /** Waits at a gate; a stubborn one pays no heed to being aborted. */
    gate: noted<{ gate: string; value?: unknown; stubborn?: boolean }>(
      async ({ gate, value = null, stubborn }, call) => {
        await wait(gate, call, stubborn);
        return value;
      },
    ),
    /** For how long at most the event loop of this process was held up since this was last asked, ms. */
    stall: () => {
      const longest = stalls.max / 1e6;
      stalls.reset();
      return longest;
    },
    /** Takes its time, whatever happens. */
    delay: noted<{ ms: number }>(({ ms }) => sleep(ms, null)),
    /** Looks at what it knows of its call, and again after each of some waits. */
    context: noted<{ rounds: number }>(async ({ rounds }, call) => {
      const looks = [look(call)];
      for (let round = 0; round < rounds; round++) {
        await sleep((call.message.id.charCodeAt(2) + round * 7) % 10);
        looks.push(look(call));
      }
      return looks;
    }),
    fail: noted<Told>((told) => {
      throw toldError(told);
    }),
    throw: noted<{ variant: ThrowVariant; gate?: string }>(async ({ variant, gate }, call) => {
      if (gate !== undefined) await wait(gate, call, true);
      return throwVariant(variant);
    }),
    /** Asks its caller, and answers with that answer. */
    callback: noted((input, call) => call.caller(callerContract).answer(input)),
    /** Length and sha256 of what it got. */
    digest: (input) => {
      const bytes = input instanceof Uint8Array ? input : Buffer.from(String(input));
      return { length: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    },
    /** Takes a message once per idempotency key, and says whether this was the first time. */
    deliver: (input, call) => {
      const { idempotencykey } = call.message;
      return deliveries.take(input as Delivery, String(idempotencykey)); // what the scenarios send
    },
    /** What became of what was delivered. */
    tally: (input) => deliveries.tally((input as { box: string }).box),
    /** Answers, and keeps nothing. */
    sink: () => null,
    /** Who dials next is refused with this code. */
    door: (input) => {
      refuseNext((input as { code: Code }).code); // what the scenarios send
      return null;
    },
    note: async (input, call) => {
      const { gate, throws } = (input ?? {}) as { gate?: string; throws?: string };
      if (gate !== undefined) await wait(gate, call);
      if (throws !== undefined) {
        note("threw", call, "internal");
        throw new Error(throws);
      }
      note("returned", call);
    },
    /** 1 to n: each behind a gate, with an error in place of some item, or without end. */
    async *count(input, call) {
      const {
        n = 0,
        gates: prefix,
        fail,
        endless = false,
      } = input as {
        n?: number;
        gates?: string;
        fail?: Told & { after: number };
        endless?: boolean;
      };
      let made = 0;
      try {
        while (made < n || endless) {
          if (fail && made === fail.after) throw toldError(fail);
          if (prefix !== undefined) await wait(`${prefix}${made + 1}`, call);
          yield ++made;
          if (endless) await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        note("finished", call, made);
      }
    },
    /** The items of a list. */
    async *list(input) {
      yield* input as readonly unknown[];
    },
    /** Text and bytes in turn. */
    async *mixed(input) {
      const { n } = input as { n: number };
      for (let k = 1; k <= n; k++) yield k % 2 === 0 ? `text ${k}` : Uint8Array.of(k & 255, k >> 8);
    },
    /** Numbered items of a length; notes each that was taken. */
    async *flood(input, call) {
      const { items, bytes } = input as { items: number; bytes: number };
      let made = 0;
      try {
        while (made < items) {
          made++;
          note("yielded", call, made);
          yield numbered(made, bytes);
        }
      } finally {
        note("finished", call, made);
      }
    },
    /** Reads numbered items, the first of which says how: behind a gate, or with pauses. */
    intake: noted<AsyncIterable<unknown>>((items, call) =>
      intake(items, {
        wait: (gate) => wait(gate, call),
        ended: (count) => note("input-end", call, count),
      } satisfies Intake),
    ),
    /** Number and sha256 of the items; or an early answer, or an early error, when an item asks for it. */
    upload: noted<AsyncIterable<unknown>>(async (items, call) => {
      const hash = createHash("sha256");
      let count = 0;
      let until: { answerAfter?: number; failAfter?: number } & Partial<Told> = {};
      try {
        for await (const item of items) {
          hash.update(`${count === 0 ? "" : "\n"}${JSON.stringify(item)}`);
          count++;
          if (isRecord(item) && ("answerAfter" in item || "failAfter" in item)) until = item;
          if (count <= 20) note("item", call, count);
          if (count === until.answerAfter) return { early: true, count };
          if (count === until.failAfter) throw toldError({ code: "internal", message: "", ...until });
        }
      } catch (error) {
        if (count !== until.failAfter) note("input-error", call, codeOf(error));
        throw error;
      }
      note("input-end", call, count);
      return { count, sha256: hash.digest("hex") };
    }),
    chat: (items, call) => chat(items, call, note),
  };
}

function look(call: HandledCall) {
  const { acmeown, correlationid } = call.message;
  return {
    own: acmeown,
    flow: correlationid,
    remainingMs: call.timeLeft() ?? -1,
    address: call.context.peer?.address ?? null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
