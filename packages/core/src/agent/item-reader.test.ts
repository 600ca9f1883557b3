import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { createCall, type OwnedCall } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { ItemReader, type ItemReaderInit, SKIP, type StreamEnd } from "./item-reader.ts";

const message = createEnvelope({ kind: "server-stream", type: "t.run.v1", source: "test" });

/** A source whose every `next` is answered by hand. */
class Source implements AsyncIterableIterator<Envelope> {
  readonly asked: PromiseWithResolvers<IteratorResult<Envelope>>[] = [];
  returned = 0;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope>> {
    const answer = Promise.withResolvers<IteratorResult<Envelope>>();
    this.asked.push(answer);
    return answer.promise;
  }

  async return(): Promise<IteratorResult<Envelope>> {
    this.returned++;
    return { done: true, value: undefined };
  }

  give(data: unknown): void {
    this.asked.shift()?.resolve({ done: false, value: { ...message, data } });
  }

  end(): void {
    this.asked.shift()?.resolve({ done: true, value: undefined });
  }
}

interface Setup {
  readonly call: OwnedCall;
  readonly source: Source;
  readonly reader: ItemReader;
  readonly ends: [StreamEnd, ParleyError | undefined][];
}

function setup(read: ItemReaderInit["read"] = ({ data }) => data): Setup {
  const call = createCall({ kind: "server-stream", message });
  const source = new Source();
  const ends: [StreamEnd, ParleyError | undefined][] = [];
  const reader = new ItemReader(call, { items: source, read, ended: (end, error) => ends.push([end, error]) });
  return { call, source, reader, ends };
}

const DONE = { done: true, value: undefined };
const lost = new ParleyError("unavailable", "lost");

test("items come unwrapped, with their position, and then the end, once", async () => {
  const positions: number[] = [];
  const { source, reader, ends } = setup(({ data }, position) => {
    positions.push(position);
    return data;
  });
  const first = reader.next();
  source.give("a");
  expect(await first).toEqual({ done: false, value: "a" });
  const second = reader.next();
  source.give("b");
  expect(await second).toEqual({ done: false, value: "b" });
  const third = reader.next();
  source.end();
  expect(await third).toEqual(DONE);
  expect(await reader.next()).toEqual(DONE);
  expect(positions).toEqual([1, 2]);
  expect(ends).toEqual([["done", undefined]]);
  expect(source.returned).toBe(0);
});

test("items asked for ahead come in order, one at a time, also when reading them takes time", async () => {
  const { source, reader } = setup(async ({ data }) => {
    if (data === "slow") await new Promise((resolve) => setImmediate(resolve));
    return data;
  });
  const all = Promise.all([reader.next(), reader.next(), reader.next(), reader.next()]);
  expect(source.asked).toHaveLength(1);
  source.give("slow");
  await expect.poll(() => source.asked.length).toBe(1);
  source.give("fast");
  await expect.poll(() => source.asked.length).toBe(1);
  source.end();
  expect(await all).toEqual([{ done: false, value: "slow" }, { done: false, value: "fast" }, DONE, DONE]);
  const after = reader.next();
  expect(await after).toEqual(DONE);
});

test("an error of the source is thrown once, and is the end", async () => {
  const { source, reader, ends } = setup();
  const next = reader.next();
  source.asked.shift()?.reject(lost);
  expect(await failureOf(next)).toBe(lost);
  expect(await reader.next()).toEqual(DONE);
  expect(ends).toEqual([["failed", lost]]);
});

test("leaving tells the source and the call's owner, and waits for nothing", async () => {
  const { source, reader, ends } = setup();
  const waiting = reader.next();
  source.return = () => new Promise(() => {});
  expect(await reader.return()).toEqual(DONE);
  expect(await waiting).toEqual(DONE);
  expect(ends).toEqual([["left", undefined]]);
  source.give("late");
  expect(await reader.next()).toEqual(DONE);
});

test("leaving twice, or after the end, tells nobody again", async () => {
  const { source, reader, ends } = setup();
  await reader.return();
  await reader.return();
  expect(source.returned).toBe(1);
  expect(ends).toHaveLength(1);
});

test("an item that cannot be read ends the stream, and the source is left", async () => {
  for (const refuse of [
    () => {
      throw lost;
    },
    () => Promise.reject(lost),
  ]) {
    const { source, reader, ends } = setup(refuse);
    const next = reader.next();
    source.give("bad");
    expect(await failureOf(next)).toBe(lost);
    expect(ends).toEqual([["left", lost]]);
    expect(source.returned).toBe(1);
    expect(await reader.next()).toEqual(DONE);
  }
});

test("the end of the call ends a reader who waits, although the source says nothing", async () => {
  const { call, source, reader, ends } = setup();
  const next = reader.next();
  call.abort(lost);
  expect(await failureOf(next)).toBe(lost);
  expect(await reader.next()).toEqual(DONE);
  expect(source.returned).toBe(1);
  expect(ends).toEqual([["failed", lost]]);
});

test("the end of the call is told to a reader who comes later, before what the source still has", async () => {
  const { call, source, reader } = setup();
  call.abort(lost);
  source.give("late");
  expect(await failureOf(reader.next())).toBe(lost);
  expect(await reader.next()).toEqual(DONE);
});

test("a call that was over before its reader is told at the first item", async () => {
  const call = createCall({ kind: "server-stream", message });
  call.abort(lost);
  const reader = new ItemReader(call, { items: new Source(), read: ({ data }) => data });
  expect(await failureOf(reader.next())).toBe(lost);
});

test("a read item that comes after the call has ended is dropped", async () => {
  const reading = Promise.withResolvers<unknown>();
  const { call, source, reader } = setup(() => reading.promise);
  const next = reader.next();
  source.give("a");
  await new Promise((resolve) => setImmediate(resolve));
  call.abort(lost);
  reading.resolve("a");
  expect(await failureOf(next)).toBe(lost);
  expect(await reader.next()).toEqual(DONE);
});

test("items to skip are passed over", async () => {
  const { source, reader } = setup(({ data }) => (data === "no" ? SKIP : data));
  const next = reader.next();
  source.give("no");
  await expect.poll(() => source.asked.length).toBe(1);
  source.give("yes");
  expect(await next).toEqual({ done: false, value: "yes" });
});
