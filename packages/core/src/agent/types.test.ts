import type { AsyncLocalStorage } from "node:async_hooks";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Call } from "../call/call.ts";
import { type Agent, agent } from "./agent.ts";
import type { CallOptions } from "./call-options.ts";
import type { CallStorage } from "./call-storage.ts";
import { type Client, client, type Publication, type Subscription } from "./client.ts";
import type { Remote } from "./connect.ts";
import { contract } from "./contract.ts";
import type { HandledCall } from "./handled-call.ts";
import type { Handlers } from "./handlers.ts";
import type { Items } from "./item-writer.ts";
import { bidiStream, clientStream, notify, request, serverStream } from "./operation.ts";
import type { AgentServer } from "./serve.ts";
import { type Params, topic } from "./topic.ts";

/** Sent as one type, received as another. */
const stamped = z.object({ at: z.string().transform((text) => new Date(text)), max: z.number().default(1) });
type Sent = { at: string; max?: number | undefined };
type Received = { at: Date; max: number };

const all = contract("all", {
  ask: request({ input: stamped, output: stamped }),
  bare: request({}),
  optional: request({ input: z.string().optional() }),
  tell: notify({ input: stamped }),
  down: serverStream({ input: stamped, item: stamped }),
  bareDown: serverStream({ item: stamped }),
  up: clientStream({ item: stamped, output: stamped }),
  bareUp: clientStream({ item: stamped }),
  both: bidiStream({ inputItem: stamped, outputItem: z.string() }),
  news: topic({ path: "news/{place}/{paper}", data: stamped }),
  plain: topic({ path: "plain", data: z.string() }),
});
type All = typeof all;

const remote: Client<All> = client(all, () => ({}));

test("a caller sends what the schema takes, and gets what it gives", () => {
  expectTypeOf(remote.ask).toEqualTypeOf<(input: Sent, options?: CallOptions) => Promise<Received>>();
  expectTypeOf(remote.bare).toEqualTypeOf<(input?: undefined, options?: CallOptions) => Promise<void>>();
  expectTypeOf(remote.optional).toEqualTypeOf<(input?: string | undefined, options?: CallOptions) => Promise<void>>();
  expectTypeOf(remote.tell).toEqualTypeOf<(input: Sent, options?: CallOptions) => Promise<void>>();
  expectTypeOf(remote.down).toEqualTypeOf<(input: Sent, options?: CallOptions) => AsyncIterable<Received>>();
  expectTypeOf(remote.bareDown).toEqualTypeOf<(input?: undefined, options?: CallOptions) => AsyncIterable<Received>>();
  expectTypeOf(remote.up).toEqualTypeOf<(items: Items<Sent>, options?: CallOptions) => Promise<Received>>();
  expectTypeOf(remote.bareUp).toEqualTypeOf<(items: Items<Sent>, options?: CallOptions) => Promise<void>>();
  expectTypeOf(remote.both).toEqualTypeOf<(items: Items<Sent>, options?: CallOptions) => AsyncIterable<string>>();
});

test("a server has an address to dial", () => {
  expectTypeOf<AgentServer["urls"][0]>().toEqualTypeOf<URL>();
});

test("a topic's parameters come from its path", () => {
  expectTypeOf<Params<"agents/{agent}/status">>().toEqualTypeOf<{ readonly agent: string }>();
  expectTypeOf<Params<"{a}/{b}">>().toEqualTypeOf<{ readonly a: string; readonly b: string }>();
  expectTypeOf<keyof Params<"plain">>().toEqualTypeOf<never>();
  expectTypeOf(remote.news.publish).parameters.toEqualTypeOf<
    [params: Params<"news/{place}/{paper}">, data: Sent, options?: CallOptions | undefined]
  >();
  expectTypeOf(remote.news.subscribe).parameter(0).toEqualTypeOf<Partial<Params<"news/{place}/{paper}">> | undefined>();
  expectTypeOf(remote.news.subscribe).returns.resolves.toEqualTypeOf<
    Subscription<"news/{place}/{paper}", typeof stamped>
  >();
  expectTypeOf<Publication<"news/{place}/{paper}", typeof stamped>["data"]>().toEqualTypeOf<Received>();
});

test("a handler gets what the schema gives, and answers what it takes", () => {
  type H = Handlers<All>;
  type C = HandledCall<All>;
  expectTypeOf<Parameters<H["ask"]>>().toEqualTypeOf<[input: Received, call: C]>();
  expectTypeOf<ReturnType<H["ask"]>>().toEqualTypeOf<Sent | Promise<Sent>>();
  expectTypeOf<Parameters<H["bare"]>[0]>().toEqualTypeOf<undefined>();
  expectTypeOf<ReturnType<H["bare"]>>().toEqualTypeOf<void | Promise<void>>();
  expectTypeOf<Parameters<H["down"]>[0]>().toEqualTypeOf<Received>();
  expectTypeOf<ReturnType<H["down"]>>().toEqualTypeOf<Items<Sent> | Promise<Items<Sent>>>();
  expectTypeOf<Parameters<H["up"]>[0]>().toEqualTypeOf<AsyncIterable<Received>>();
  expectTypeOf<ReturnType<H["up"]>>().toEqualTypeOf<Sent | Promise<Sent>>();
  expectTypeOf<Parameters<H["both"]>[0]>().toEqualTypeOf<AsyncIterable<Received>>();
  expectTypeOf<ReturnType<H["both"]>>().toEqualTypeOf<Items<string> | Promise<Items<string>>>();
  expectTypeOf<keyof H>().toEqualTypeOf<Exclude<keyof All["operations"], "news" | "plain">>();
});

test("handlers written in place have their parameters inferred", () => {
  const small = contract("small", {
    ask: request({ input: stamped, output: z.string() }),
    down: serverStream({ input: stamped, item: z.string() }),
    both: bidiStream({ inputItem: z.number(), outputItem: z.string() }),
    bare: request({}),
    news: topic({ path: "news/{place}", data: z.string() }),
  });
  const made = agent(small, {
    ask: async ({ at }, call) => {
      expectTypeOf(at).toEqualTypeOf<Date>();
      expectTypeOf(call.client(remote)).toEqualTypeOf<Client<All>>();
      expectTypeOf(call.client<All>)
        .parameter(0)
        .toEqualTypeOf<Client<All>>();
      const connected = (): Remote<All> => expect.unreachable();
      expectTypeOf(() => call.client(connected())).returns.toEqualTypeOf<Client<All>>();
      expectTypeOf(call.caller(all)).toEqualTypeOf<Client<All>>();
      expectTypeOf<keyof typeof call.topics & string>().toEqualTypeOf<"news">();
      expectTypeOf(call.topics.news.publish).parameter(0).toEqualTypeOf<{ readonly place: string }>();
      return at.toISOString();
    },
    async *down({ max }, { timeLeft }) {
      expectTypeOf(max).toEqualTypeOf<number>();
      expectTypeOf(timeLeft).returns.toEqualTypeOf<number | undefined>();
      yield "x";
    },
    async *both(items) {
      for await (const item of items) {
        expectTypeOf(item).toEqualTypeOf<number>();
        yield String(item);
      }
    },
    bare: async () => {},
  });
  expectTypeOf(made).toEqualTypeOf<Agent<typeof small>>();
  expectTypeOf(client(small, made.handle).ask).returns.resolves.toEqualTypeOf<string>();
  expectTypeOf<AgentServer<typeof small>["topics"]["news"]["publish"]>().parameter(1).toEqualTypeOf<string>();
  expectTypeOf<Remote<typeof small>["both"]>().toEqualTypeOf<
    (items: Items<number>, options?: CallOptions) => AsyncIterable<string>
  >();
});

test("what does not fit the contract does not compile", () => {
  const small = contract("small", {
    ask: request({ input: z.string(), output: z.number() }),
    down: serverStream({ item: z.string() }),
  });
  const down = () => ["x"];
  void (() => {
    agent(small, { ask: (text) => text.length, down });
    // @ts-expect-error a handler is missing
    agent(small, { down });
    // @ts-expect-error a handler too many
    agent(small, { ask: () => 1, down, more: () => 1 });
    // @ts-expect-error the answer is of another type
    agent(small, { ask: (text) => text, down });
    // @ts-expect-error the items are of another type
    agent(small, { ask: () => 1, down: () => [1] });
    const { ask } = client(small, () => ({}));
    // @ts-expect-error the input is of another type
    void ask(1);
    // @ts-expect-error the input is missing
    void ask();
    // @ts-expect-error no such operation
    client(small, () => ({})).more;
    // @ts-expect-error the parameter is missing
    void remote.news.publish({ place: "x" }, { at: "" });
    // @ts-expect-error no such parameter
    void remote.news.subscribe({ planet: "x" });
  });
});

test("casts are typed by the schemas on both of their sides", () => {
  const present = z.object({ words: z.array(z.string()), max: z.number().default(1) });
  const made = request({
    version: 3,
    input: present,
    output: z.number(),
    previous: {
      1: {
        input: {
          schema: z.object({ text: z.string().transform((text) => text.length) }),
          upcast: ({ text }) => {
            expectTypeOf(text).toEqualTypeOf<number>();
            return { words: [] };
          },
          downcast: (now) => {
            expectTypeOf(now).toEqualTypeOf<{ words: string[]; max: number }>();
            return { text: "" };
          },
        },
      },
      2: { output: { schema: z.string(), downcast: (now) => now.toFixed(1), upcast: (old) => old.length } },
    },
  });
  expectTypeOf(made.input).toEqualTypeOf<typeof present>();
  void (() => {
    // @ts-expect-error the upcast gives something else than the present form
    request({ version: 2, input: present, previous: { 1: { input: { schema: z.string(), upcast: (old) => old } } } });
    // @ts-expect-error the downcast is missing
    request({ version: 2, output: present, previous: { 1: { output: { schema: z.string() } } } });
    // @ts-expect-error a misspelt side
    request({ version: 2, input: present, previous: { 1: { inptu: { schema: z.string() } } } });
  });
});

test("Node's AsyncLocalStorage is a storage", () => {
  expectTypeOf<AsyncLocalStorage<Call>>().toExtend<CallStorage>();
});
