import { agent, bearer, connect, ParleyError, type Remote, serve, type Transport } from "@parley/core";
import { systemRuntime } from "@parley/core/transport";
import { HttpClient, http } from "@parley/transport-http";
import { SseClient, sse } from "@parley/transport-sse";
import { WebSocketClient, ws } from "@parley/transport-ws";
import { lab, page } from "./contract.ts";

/** What an error looks like to the test. */
export interface Failure {
  readonly code: string;
  readonly outcome: string;
  readonly message: string;
  readonly details: unknown;
}

const reconnect = { baseMs: 1, maxMs: 50 };

const dial = (url: string): Promise<Remote<typeof lab>> =>
  connect(lab, url, { transports: [ws(), sse(), http()], reconnect });

/** Those that stay open from one action to the next. */
const held = new Map<string, Held>();

interface Held {
  readonly remote: Remote<typeof lab>;
  readonly ticks: number[];
  /** How the stream has ended, once it has. */
  end?: string;
}

let waiting: Waiting | undefined;

interface Waiting {
  readonly remote: Remote<typeof lab>;
  readonly giveUp: AbortController;
  readonly failure: Promise<Failure>;
}

/** What a test can have the page do. Arguments and results are JSON. */
const actions = {
  async unary(url: string): Promise<string> {
    await using remote = await dial(url);
    return await remote.greet({ name: "Ada" });
  },

  async notify(url: string, text: string): Promise<void> {
    await using remote = await dial(url);
    await remote.note(text);
  },

  async serverStream(url: string, upTo: number): Promise<number[]> {
    await using remote = await dial(url);
    const values: number[] = [];
    for await (const value of remote.count({ upTo })) values.push(value);
    return values;
  },

  async clientStream(url: string, items: number[]): Promise<number> {
    await using remote = await dial(url);
    return await remote.sum(items);
  },

  /** One item at a time: the next is sent when the last has come back. */
  async bidi(url: string, words: string[]): Promise<string[]> {
    await using remote = await dial(url);
    const heard: string[] = [];
    let wake = (): void => {};
    async function* saying(): AsyncGenerator<string> {
      for (const [index, word] of words.entries()) {
        yield word;
        while (heard.length <= index) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    }
    for await (const word of remote.shout(saying())) {
      heard.push(word);
      wake();
    }
    return heard;
  },

  async topic(url: string): Promise<string[]> {
    await using remote = await dial(url);
    await using subscription = await remote.news.subscribe();
    const arrived: string[] = [];
    for (const [section, headline] of [
      ["arts", "one"],
      ["sports", "two"],
    ] as const) {
      await remote.news.publish({ section }, headline);
    }
    for await (const { params, data } of subscription) {
      arrived.push(`${params.section}: ${data}`);
      if (arrived.length === 2) break;
    }
    return arrived;
  },

  async failure(url: string): Promise<Failure> {
    await using remote = await dial(url);
    return await failureOf(remote.fail({ code: "already_exists" }));
  },

  /** Makes a call that waits until it is given up. */
  async wait(url: string): Promise<void> {
    const remote = await dial(url);
    const giveUp = new AbortController();
    const failure = failureOf(remote.wait(undefined, { signal: giveUp.signal }));
    waiting = { remote, giveUp, failure };
  },

  async giveUp(): Promise<Failure | undefined> {
    waiting?.giveUp.abort();
    const failure = await waiting?.failure;
    await waiting?.remote.close();
    return failure;
  },

  async leave(url: string): Promise<number> {
    await using remote = await dial(url);
    for await (const value of remote.count({ upTo: Number.MAX_SAFE_INTEGER })) return value;
    return 0;
  },

  async deadline(url: string): Promise<Failure> {
    await using remote = await dial(url);
    return await failureOf(remote.wait(undefined, { timeoutMs: 100 }));
  },

  async whoami(url: string, token: string): Promise<string> {
    const credentials = bearer(token);
    const transports = [ws({ credentials }), sse({ credentials }), http({ credentials })];
    await using remote = await connect(lab, url, { transports, reconnect: false });
    return await remote.whoami();
  },

  /** In which order things run that are to run later. */
  turns(): Promise<string[]> {
    const order: string[] = [];
    return new Promise((resolve) => {
      systemRuntime.nextTurn(() => order.push("next turn"));
      systemRuntime.nextTurn(() => {
        queueMicrotask(() => order.push("its end"));
        systemRuntime.nextTurn(() => resolve(order));
      });
      systemRuntime.nextTurn(() => order.push("third turn"));
      systemRuntime.defer(() => order.push("end of the turn"));
      order.push("now");
    });
  },

  /** What connecting fails with. */
  dialFailure(url: string): Promise<Failure> {
    return failureOf(dial(url).then((remote) => remote.close()));
  },

  /** What a program without types runs into. */
  async misuses(): Promise<string[]> {
    const clients = {
      WebSocketClient: (options: never) => new WebSocketClient(options),
      SseClient: (options: never) => new SseClient(options),
      HttpClient: (options: never) => new HttpClient(options),
    };
    const loose = { ws, sse, http, ...clients } as unknown as Record<string, (options: object) => unknown>;
    const misuses: [string, object][] = [
      ["ws", { tls: {} }],
      ["ws", { headers: { "x-tenant": "a" } }],
      ["sse", { allowedOrigins: [] }],
      ["http", { headers: { cookie: "a=b" } }],
      ["http", { credentials: { certificate: () => ({}) } }],
      ["WebSocketClient", { url: "ws://127.0.0.1:1" }],
      ["SseClient", { url: "http://127.0.0.1:1" }],
      ["HttpClient", {}],
    ];
    const made = misuses.map(async ([name, options]) => loose[name]?.(options));
    const listening = serve(agent(page, { title: async () => "" }), "ws://127.0.0.1:0", {
      transports: [ws() as Transport],
    });
    const outcomes = await Promise.allSettled([...made, listening]);
    return outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.message : "taken"));
  },

  /** Reads the ticks, on a connection that stays. Resolves when the stream is open. */
  async hold(url: string): Promise<void> {
    const remote = await dial(url);
    const one: Held = { remote, ticks: [] };
    held.set(url, one);
    const ticks = remote.ticks()[Symbol.asyncIterator]();
    const first = await ticks.next();
    if (!first.done) one.ticks.push(first.value);
    void (async () => {
      try {
        for (let next = await ticks.next(); !next.done; next = await ticks.next()) one.ticks.push(next.value);
        one.end = "end";
      } catch (thrown) {
        one.end = (thrown as ParleyError).code;
      }
    })();
  },

  /** What has come of the ticks, and whether the connection is there. */
  async held(
    url: string,
  ): Promise<{ readonly ticks: number[]; readonly end: string | undefined; readonly state: string }> {
    const { ticks, end, remote } = held.get(url) as Held;
    return { ticks, end, state: remote.connection.state };
  },

  /** A call on the connection that stays. */
  async greetAgain(url: string): Promise<string> {
    return (held.get(url) as Held).remote.greet({ name: "again" });
  },

  async letGo(url: string): Promise<void> {
    await held.get(url)?.remote.close({ graceMs: 0 });
    held.delete(url);
  },

  /** The agent asks the page, while the page asks it. */
  async callBack(url: string): Promise<string> {
    const answering = agent(page, { title: async () => "a page" });
    await using remote = await connect(lab, url, { transports: [ws(), sse()], agent: answering });
    return await remote.askBack();
  },
};

export type Actions = typeof actions;

Object.assign(globalThis, { actions });

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (thrown) {
    if (!(thrown instanceof ParleyError)) throw thrown;
    const { code, outcome, message, details } = thrown;
    return { code, outcome, message, details };
  }
  throw new Error("it did not fail");
}
