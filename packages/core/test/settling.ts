import { ParleyError } from "../src/call/error.ts";

/** What a promise, or a function, fails with. Fails itself when it does not, or with something else than a ParleyError. */
export async function failureOf(attempt: (() => unknown) | Promise<unknown>): Promise<ParleyError> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw new Error("failed with something else than a ParleyError", { cause: error });
  }
  throw new Error("did not fail");
}

/** All items of a stream. */
export async function itemsOf<Item>(stream: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
