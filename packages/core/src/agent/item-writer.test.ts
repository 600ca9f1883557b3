import { expect, test } from "vitest";
import { createEnvelope } from "../envelope/create.ts";
import { callerItem } from "../envelope/follow.ts";
import { type Items, ItemWriter, type ItemWriterInit } from "./item-writer.ts";

const opener = createEnvelope({ kind: "client-stream", type: "t.run.v1", source: "test" });
const DONE = { done: true, value: undefined };

function writerOf(
  items: Items<unknown>,
  change: Partial<ItemWriterInit> = {},
): { writer: ItemWriter; failures: [unknown, string][] } {
  const failures: [unknown, string][] = [];
  const writer = new ItemWriter(items, {
    write: (value) => value,
    wrap: (data, position) => callerItem(opener, "test", position, data),
    failed: (thrown, part) => {
      failures.push([thrown, part]);
      return new Error("told", { cause: thrown });
    },
    ...change,
  });
  return { writer, failures };
}

async function* lettersAsync(): AsyncGenerator<string> {
  yield* ["a", "b"];
}

test.for([
  ["an array", ["a", "b"]],
  ["a set", new Set(["a", "b"])],
  ["a generator", lettersAsync()],
] as const)("%s becomes messages in order, then ends", async ([, items]) => {
  const { writer, failures } = writerOf(items);
  expect(await writer.next()).toEqual({ done: false, value: callerItem(opener, "test", 1, "a") });
  expect(await writer.next()).toEqual({ done: false, value: callerItem(opener, "test", 2, "b") });
  expect(await writer.next()).toEqual(DONE);
  expect(await writer.next()).toEqual(DONE);
  expect(failures).toEqual([]);
});

test("what the iterable throws is asked about once, and is the end", async () => {
  const thrown = new Error("mine");
  const sources: Items<unknown>[] = [
    (async function* () {
      yield 1;
      throw thrown;
    })(),
    (function* () {
      yield 1;
      throw thrown;
    })(),
  ];
  for (const items of sources) {
    const { writer, failures } = writerOf(items);
    await writer.next();
    await expect(writer.next()).rejects.toThrow("told");
    expect(failures).toEqual([[thrown, "items"]]);
    expect(await writer.next()).toEqual(DONE);
  }
});

test("an item that does not pass is asked about once, and the iterable is returned", async () => {
  for (const asynchronous of [false, true]) {
    for (const make of [lettersAsync, () => ["a"].values()]) {
      let returned = 0;
      const inner = make() as AsyncGenerator<string>;
      const items = {
        next: () => inner.next(),
        return: async () => {
          returned++;
          return DONE;
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
      const { writer, failures } = writerOf(items as Items<unknown>, {
        write: () => {
          if (asynchronous) return Promise.reject(new Error("unfit"));
          throw new Error("unfit");
        },
      });
      await expect(writer.next()).rejects.toThrow("told");
      expect(failures).toEqual([[new Error("unfit"), "check"]]);
      expect(returned).toBe(1);
      expect(await writer.next()).toEqual(DONE);
    }
  }
});

test("leaving returns the iterable, once, and waits for nothing", async () => {
  let returned = 0;
  const items = {
    [Symbol.asyncIterator]() {
      return {
        next: () => new Promise<never>(() => {}),
        return: () => {
          returned++;
          return new Promise<never>(() => {});
        },
      };
    },
  };
  const { writer } = writerOf(items);
  void writer.next();
  expect(await writer.return()).toEqual(DONE);
  expect(await writer.return()).toEqual(DONE);
  expect(returned).toBe(1);
  expect(await writer.next()).toEqual(DONE);
});

test("an item that comes after leaving is dropped", async () => {
  const late = Promise.withResolvers<IteratorResult<string>>();
  const { writer } = writerOf({ [Symbol.asyncIterator]: () => ({ next: () => late.promise }) });
  const next = writer.next();
  await writer.return();
  late.resolve({ done: false, value: "late" });
  expect(await next).toEqual(DONE);
});

test("an iterable whose return throws disturbs nobody", async () => {
  for (const fail of [
    () => {
      throw new Error("no");
    },
    () => Promise.reject(new Error("no")),
  ]) {
    const { writer } = writerOf({
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false as const, value: 1 }), return: fail }),
    });
    await writer.next();
    expect(await writer.return()).toEqual(DONE);
  }
});
