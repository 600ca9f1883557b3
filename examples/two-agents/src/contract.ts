import { contract, serverStream } from "@parley/core";
import { z } from "zod";

/** What both agents speak: a question, answered word by word. */
export const answers = contract("answers", {
  ask: serverStream({
    input: z.object({ question: z.string().min(1) }),
    item: z.object({ word: z.string() }),
  }),
});
