import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import type { Called } from "../serving/control.ts";
import { numberOf } from "../serving/numbered.ts";
import { type From, sides } from "../tap/tap.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { type Link, linkTo, lostCalls } from "./link.ts";

/** FLT: links that end in the middle of something. */
export const cutLinkScenarios: readonly Scenario[] = [
  {
    id: "FLT-03",
    group: "FLT",
    level: "must",
    title:
      "A link that is cut after any number of bytes, in order or not, in the handshake or in a call, fails the call within T; nothing is dispatched in part, and the next connection works.",
    needs: { kinds: ["request"], tcp: true },
    mutants: ["hangs-on-cuts"],
    limit: 120,
    async run(env) {
      // Where each connection is a process, a hundred would try the machine and not the wire.
      const fewer = env.children ? 4 : 1;
      const every = env.profile === "full" && !env.children;
      const offsets = (): readonly number[] =>
        upTo(every ? 513 : Math.ceil(env.count(6, 64) / fewer)).map((n) => (every ? n - 1 : env.random.int(513)));
      const long = (): readonly number[] => upTo(Math.ceil(env.count(2, 16) / fewer)).map(() => env.random.int(LONG));
      const first = await linkTo(env);
      const lanes = sides.flatMap((from) => (["fin", "rst"] as const).map((how) => ({ from, how })));
      const cutLane = async ({ from, how }: (typeof lanes)[0]): Promise<void> => {
        const link = await first.beside();
        for (const n of offsets()) await cutInHandshake(env, link, { from, how, n });
        for (const n of offsets()) await cutInCall(env, link, { from, how, n, bytes: SHORT });
        for (const n of long()) await cutInCall(env, link, { from, how, n, bytes: LONG });
        env.wire.ok(`the link to have been cut (${from}, ${how})`, link.proxy.cuts > 0, link.proxy.cuts);
      };
      if (env.children) for (const lane of lanes) await cutLane(lane);
      else await Promise.all(lanes.map(cutLane));
      for (const { message } of env.events(undefined, "called").map(({ detail }) => detail as Called)) {
        const { text, length } = message.data as Partial<Payload>;
        env.handler.equal("the length of what was dispatched", text?.length, length);
      }
      const after = await first.connect();
      await env.sentinel(after);
      await nothingOpen(env, after);
    },
  },
  {
    id: "FLT-05",
    group: "FLT",
    level: "must",
    title: "A link that is cut after 64 KiB of an answer of 1 MiB is an error, never a short success.",
    needs: { kinds: ["request", "server-stream"], tcp: true },
    mutants: ["takes-part-for-whole", "takes-short-stream"],
    async run(env) {
      const link = await linkTo(env);
      const { timeoutMs } = lostCalls(env, env.t / 2);
      const length = Math.min(MIB, Math.floor((0.9 * env.manifest.limits.maxMessageBytes) / 16) * 16);
      for (const cut of ["fin", "rst"] as const) {
        const asking = await link.connect();
        link.proxy.set({ listener: { cutAfterBytes: 64 * 1024, cut } });
        const data = { text: "0123456789abcdef", times: length / 16 };
        const made = env.calls.make(asking, "request", "repeat", { data, timeoutMs });
        const reply = env.calls.message(made);
        await wholeOrLost(env, `a reply that was cut (${cut})`, reply, ({ data }) => {
          env.caller.equal(`the length of a reply that was cut (${cut})`, String(data).length, length);
        });
        env.handler.equal("answers that the handler gave", env.events(made.id, "returned").length, 1);
        link.proxy.set({});

        const streaming = await link.connect();
        link.proxy.set({ listener: { cutAfterBytes: 64 * 1024, cut } });
        const items = { items: 64, bytes: 16 * 1024 };
        const stream = env.calls.make(streaming, "server-stream", "flood", { data: items, timeoutMs });
        const numbers: number[] = [];
        const reading = (async () => {
          for await (const { data } of await env.calls.output(stream)) numbers.push(numberOf(data));
        })();
        await wholeOrLost(env, `a stream that was cut (${cut})`, reading, () => {
          env.caller.equal(`the length of a stream that was cut (${cut})`, numbers.length, 64);
        });
        env.caller.equal(`the items before the cut (${cut})`, numbers, upTo(numbers.length));
        link.proxy.set({});
      }
      env.wire.ok("the link to have been cut 4 times or more", link.proxy.cuts >= 4, link.proxy.cuts);
      await env.sentinel(await link.connect());
    },
  },
];

const MIB = 1024 * 1024;

/** Characters of what is sent in a call that is cut. */
const SHORT = 200;
const LONG = 48 * 1024;

interface Payload {
  readonly text: string;
  readonly length: number;
}

interface Cut {
  readonly from: From;
  readonly how: "fin" | "rst";
  /** Bytes that pass before. */
  readonly n: number;
}

async function cutInHandshake(env: Environment, link: Link, { from, how, n }: Cut): Promise<void> {
  const what = `a connection that is cut (${how}) after ${n} bytes of the ${from}`;
  link.proxy.set({ [from]: { cutAfterBytes: n, cut: how } });
  const dialling = link.dial();
  const settled = dialling.then(
    (connection) => ({ connection }),
    (error: unknown) => ({ error }),
  );
  const result = await env.within(`the end of ${what}`, settled);
  if ("connection" in result) return await callOver(env, result.connection, what, SHORT);
  const error = await env.calls.error(what, dialling);
  env.caller.equal(`the code of ${what}`, error.code, "unavailable");
  env.caller.equal(`the outcome of ${what}`, error.outcome, "not-sent");
}

async function cutInCall(
  env: Environment,
  link: Link,
  { from, how, n, bytes }: Cut & { readonly bytes: number },
): Promise<void> {
  link.proxy.set({});
  const connection = await link.connect();
  link.proxy.set({ [from]: { cutAfterBytes: n, cut: how } });
  await callOver(env, connection, `a call that is cut (${how}) after ${n} bytes of the ${from}`, bytes);
}

/** Either an answer, when the cut comes later than that, or an error within T. */
async function callOver(env: Environment, connection: Connection, what: string, length: number): Promise<void> {
  const data: Payload = { text: env.random.hex(1).repeat(length), length };
  const { timeoutMs, codes } = lostCalls(env, env.t / 2);
  const made = env.calls.make(connection, "request", "echo", { data, timeoutMs });
  const settled = made.reply.then(
    ({ message }) => message?.data,
    () => undefined,
  );
  const answer = await env.within(`the end of ${what}`, settled);
  if (answer !== undefined) env.caller.equal(`the answer to ${what}`, answer, data);
  else {
    const error = await env.calls.error(what, made.reply);
    env.caller.ok(`${what} to be lost`, codes.includes(error.code), error.code);
  }
  env.handler.ok(`at most one run of ${what}`, env.events(made.id, "called").length <= 1);
  await connection.close({ graceMs: 0 });
}

/** Fails as lost; or, where a session brings back what was lost, has all of it. */
async function wholeOrLost<Value>(
  env: Environment,
  what: string,
  result: Promise<Value>,
  whole: (value: Value) => void,
): Promise<void> {
  const { codes, resumed } = lostCalls(env, 0);
  const settled = result.then(
    (value) => ({ value }),
    () => undefined,
  );
  const came = await env.within(`the end of ${what}`, settled);
  if (came && resumed) return whole(came.value);
  const error = await env.calls.error(what, result);
  env.caller.ok(`${what} to be lost`, codes.includes(error.code), error.code);
  env.caller.equal(`the outcome of ${what}`, error.outcome, "unknown");
}
