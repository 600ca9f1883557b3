import { bidiStream, clientStream, contract, notify, request, serverStream, topic } from "@parley/core";
import { z } from "zod";

/** An operation of every kind, for pages to call. */
export const lab = contract("lab", {
  greet: request({ input: z.object({ name: z.string() }), output: z.string() }),
  note: notify({ input: z.string() }),
  /** From 1 to `upTo`. */
  count: serverStream({ input: z.object({ upTo: z.number() }), item: z.number() }),
  sum: clientStream({ item: z.number(), output: z.number() }),
  shout: bidiStream({ inputItem: z.string(), outputItem: z.string() }),
  news: topic({ path: "news/{section}", data: z.string() }),
  /** Answers when the call is given up. */
  wait: request({}),
  /** Fails as it is told. */
  fail: request({ input: z.object({ code: z.enum(["already_exists", "unavailable"]) }) }),
  /** The name of whoever calls. */
  whoami: request({ output: z.string() }),
  /** The title of the page that calls, asked from it. */
  askBack: request({ output: z.string() }),
  /** Numbers from 1, each when the test says so. */
  ticks: serverStream({ item: z.number() }),
});

/** What a page answers. */
export const page = contract("page", { title: request({ output: z.string() }) });
