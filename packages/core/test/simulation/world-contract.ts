import { z } from "zod";
import { type Contract, contract } from "../../src/agent/contract.ts";
import { bidiStream, clientStream, notify, type Operation, request, serverStream } from "../../src/agent/operation.ts";
import { type Topic, topic } from "../../src/agent/topic.ts";

const number: z.ZodNumber = z.number();

type Job = z.ZodObject<{ id: z.ZodNumber; items: z.ZodNumber; workMs: z.ZodNumber }>;

const job: Job = z.object({ id: number, items: number, workMs: number });

/** What {@link world} is. */
export type World = Contract<{
  readonly work: Operation<"request", Job, z.ZodNumber>;
  readonly lookup: Operation<"request", Job, z.ZodNumber>;
  readonly note: Operation<"notify", Job, undefined>;
  readonly count: Operation<"server-stream", Job, z.ZodNumber>;
  readonly collect: Operation<"client-stream", z.ZodNumber, z.ZodNumber>;
  readonly echo: Operation<"bidi-stream", z.ZodNumber, z.ZodNumber>;
  readonly news: Topic<"news", z.ZodNumber>;
  readonly reports: Topic<"reports", z.ZodNumber>;
}>;

/** What the simulated agents can do. A job is answered with the number of its effect. */
export const world: World = contract("world", {
  work: request({ input: job, output: number }),
  lookup: request({ input: job, output: number, idempotent: true }),
  note: notify({ input: job }),
  count: serverStream({ input: job, item: number }),
  collect: clientStream({ item: number, output: number }),
  echo: bidiStream({ inputItem: number, outputItem: number }),
  news: topic({ path: "news", data: number }),
  reports: topic({ path: "reports", data: number }),
});
