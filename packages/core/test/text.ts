import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import { type Contract, contract } from "../src/agent/contract.ts";
import type { Handlers } from "../src/agent/handlers.ts";
import { bidiStream, clientStream, notify, type Operation, request, serverStream } from "../src/agent/operation.ts";
import { type Topic, topic } from "../src/agent/topic.ts";

type Text = Contract<{
  readonly summarize: Operation<"request", StandardSchemaV1<{ text: string }>, StandardSchemaV1<{ summary: string }>>;
  readonly ping: Operation<"request", undefined, undefined>;
  readonly tokens: Operation<
    "server-stream",
    StandardSchemaV1<{ prompt: string }>,
    StandardSchemaV1<{ token: string }>
  >;
  readonly upload: Operation<"client-stream", StandardSchemaV1<{ size: number }>, StandardSchemaV1<{ total: number }>>;
  readonly chat: Operation<"bidi-stream", StandardSchemaV1<{ say: string }>, StandardSchemaV1<{ heard: string }>>;
  readonly log: Operation<"notify", StandardSchemaV1<{ line: string }>, undefined>;
  readonly status: Topic<"agents/{agent}/status", StandardSchemaV1<{ state: "idle" | "busy" }>>;
}>;

/** A contract with an operation of every kind. */
export const text: Text = contract("text", {
  summarize: request({ input: z.object({ text: z.string() }), output: z.object({ summary: z.string() }) }),
  ping: request({}),
  tokens: serverStream({ input: z.object({ prompt: z.string() }), item: z.object({ token: z.string() }) }),
  upload: clientStream({ item: z.object({ size: z.number() }), output: z.object({ total: z.number() }) }),
  chat: bidiStream({ inputItem: z.object({ say: z.string() }), outputItem: z.object({ heard: z.string() }) }),
  log: notify({ input: z.object({ line: z.string() }) }),
  status: topic({ path: "agents/{agent}/status", data: z.object({ state: z.enum(["idle", "busy"]) }) }),
});

/** Handlers for {@link text}; a test replaces those it is about. */
export function textHandlers(replaced: Partial<Handlers<Text>> = {}): Handlers<Text> {
  return {
    summarize: ({ text }) => ({ summary: text.slice(0, 3) }),
    ping: () => {},
    async *tokens({ prompt }) {
      for (const token of prompt.split(" ")) yield { token };
    },
    async upload(items) {
      let total = 0;
      for await (const { size } of items) total += size;
      return { total };
    },
    async *chat(items) {
      for await (const { say } of items) yield { heard: say };
    },
    log: () => {},
    ...replaced,
  };
}
