import { contract, notify, request, serverStream, topic } from "@parley/core";
import { z } from "zod";

/** What peers that know nothing of Parley call. */
export const peers = contract("peers", {
  shout: request({ input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) }),
  count: serverStream({ input: z.object({ to: z.int().min(1).max(1_000) }), item: z.object({ number: z.int() }) }),
  news: topic({ path: "news/{section}", data: z.object({ headline: z.string() }) }),
  note: notify({ input: z.object({ from: z.string(), text: z.string() }) }),
});
