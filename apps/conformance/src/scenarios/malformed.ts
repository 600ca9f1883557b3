import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import { bothWays } from "../faults/faults.ts";
import { alteredEvent, brokenEvent, unsound } from "../hostile/broken-events.ts";
import { json, notJson } from "../hostile/json-texts.ts";
import { postRaw, rawGiver, replyToOf, TRAP } from "../hostile/raw-events.ts";
import type { Scenario } from "../scenario.ts";
import type { Called } from "../serving/control.ts";
import { endlessMessage, trickle } from "./endless.ts";
import { linkTo } from "./link.ts";
import { violations } from "./violations.ts";

const requests = { kinds: ["request"] } as const;

const MARK = '"the text goes here"';

/** MAL: whatever bytes a peer sends, it harms nobody but itself. */
export const malformedScenarios: readonly Scenario[] = [
  {
    id: "MAL-01",
    group: "MAL",
    level: "must",
    title:
      "An event with data that is no JSON (188 cases) is refused and not dispatched, and other connections go on; with any JSON (95 cases) it arrives as it was.",
    needs: { ...requests, events: true },
    mutants: ["takes-any-json"],
    limit: 30,
    async run(env) {
      const other = await bystander(env);
      const give = rawGiver(env);
      for (const [name, text] of Object.entries(notJson)) {
        const taken = await give((call) => openerWith(env, call, text));
        if (taken) env.caller.ok(`${name} to be refused`, taken.refusal !== undefined);
      }
      notDispatched(env);
      await other();
      const echo = await echoer(env);
      for (const [name, text] of Object.entries(json)) {
        const value: unknown = JSON.parse(text.toString());
        env.caller.equal(`${name}, as it came back`, await echo(text.toString()), value);
      }
      env.wire.ok("all of it to have been sent", env.tap.bytes("dialler") > 10_000);
    },
  },
  {
    id: "MAL-02",
    group: "MAL",
    level: "must",
    title:
      "Events that are invalid, and events with bytes that were altered, neither crash nor hang nor reach a handler as what they are not.",
    needs: { ...requests, events: true },
    mutants: ["dispatches-anything"],
    limit: 60,
    async run(env) {
      const full = env.profile === "full";
      const other = await bystander(env);
      const give = rawGiver(env);
      for (let left = full ? 300 : 120; left > 0; left--) {
        let document = "";
        const taken = await give((call) => {
          const broken = brokenEvent(opener(env, call, { n: left }), env.random);
          document = broken.toString().slice(0, 300);
          return broken;
        });
        if (taken) env.caller.ok(`${document} to be refused`, taken.refusal !== undefined);
      }
      notDispatched(env);
      // One that is valid still takes the number of the call behind it, which costs the connection.
      for (let left = full ? 2_000 : env.children ? 50 : 150; left > 0; left--) {
        await give((call) => alteredEvent(opener(env, call, { n: left }), env.random));
      }
      for (const { detail } of env.events(undefined, "called")) {
        const { message } = detail as Called;
        env.handler.equal("what is wrong with a message that was dispatched", unsound(message), undefined);
      }
      await other();
      env.processes.equal("the end of the serving process", env.serving.exited, undefined);
    },
  },
  {
    id: "MAL-03",
    group: "MAL",
    level: "must",
    title: "What breaks the rules of the protocol below is answered in its own terms, and not dispatched.",
    needs: { ...requests, protocol: true },
    mutants: ["reads-any-bytes"],
    async run(env) {
      const other = await bystander(env);
      await violations(env);
      notDispatched(env);
      await other();
      env.processes.equal("the end of the serving process", env.serving.exited, undefined);
    },
  },
  {
    id: "MAL-04",
    group: "MAL",
    level: "must",
    title: "A message that breaks off, wherever, is not dispatched, and the connection ends with an error of its own.",
    needs: { ...requests, tcp: true },
    mutants: ["takes-what-came"],
    limit: 90,
    async run(env) {
      const listener = await env.listen();
      const step = env.count(env.children ? 61 : 17, 1);
      for (let at = 0; at < 300; at += step) {
        const proxy = await env.proxy(listener);
        const connection = await env.connect({ url: proxy.url(listener) });
        proxy.set({ dialler: { cutAfterBytes: at } });
        const made = env.calls.make(connection, "request", TRAP, { data: "x".repeat(2_000) });
        const error = await env.within(
          `the end of a call cut at byte ${at}`,
          env.calls.error("a call that was cut", made.reply),
        );
        env.caller.equal(`the code of a call cut at byte ${at}`, error.code, "unavailable");
        await connection.close({ graceMs: 0 });
        await proxy.close();
      }
      const whole = await env.connect({ url: listener });
      await env.sentinel(whole);
      notDispatched(env);
    },
  },
  {
    id: "MAL-05",
    group: "MAL",
    level: "must",
    title: "The same 200 messages, byte by byte or all in one piece, make the same history.",
    needs: { ...requests, tcp: true },
    mutants: ["packet-is-message"],
    limit: 20,
    async run(env) {
      const inPieces = await linkTo(env, { faults: bothWays({ sliceBytes: env.profile === "full" ? 1 : 7 }) });
      const inOne = await linkTo(env, { faults: bothWays({ coalesceBytes: 16_384 }) });
      const histories: unknown[] = [];
      for (const connect of [() => env.connect(), () => inPieces.connect(), () => inOne.connect()]) {
        const connection = await connect();
        const before = env.events(undefined, "called").length;
        const data = Array.from({ length: 200 }, (_, at) => ({ at, text: "ä☃😀\n".repeat(at % 9) }));
        // Byte by byte, 200 at once are longer on their way than a broker's replica has to take a call.
        for (let first = 0; first < data.length; first += 50) {
          const some = data.slice(first, first + 50);
          const made = some.map((one) => env.calls.make(connection, "request", "echo", { data: one }));
          const answers = Promise.all(made.map(async (one) => (await env.calls.message(one)).data));
          env.caller.equal("the answers", await env.within("50 answers", answers, 2 * env.t), some);
        }
        const called = () => env.events(undefined, "called").slice(before);
        await env.until("200 calls at the handler", () => called().length === 200);
        histories.push(
          called()
            .map(({ detail }) => (detail as Called).message.data)
            .sort(byPlace),
        );
      }
      env.handler.equal("the history in pieces", histories[1], histories[0]);
      env.handler.equal("the history in one piece", histories[2], histories[0]);
    },
  },
  {
    id: "MAL-06",
    group: "MAL",
    level: "must",
    title:
      "A message without end is cut off at the limit, and a peer that trickles is let go after the documented time; 20 others are served meanwhile.",
    needs: { ...requests, events: true, tcp: true },
    mutants: ["takes-its-time"],
    limit: 60,
    async run(env) {
      const url = await env.listen();
      // Where each connection is a process, twenty at once would try the machine and not the wire.
      const others = await Promise.all(Array.from({ length: env.children ? 2 : 20 }, () => env.connect({ url })));
      const served = async (): Promise<void> => {
        await Promise.all(others.map((other) => env.sentinel(other)));
      };
      await endlessMessage(env, url, served);
      await trickle(env, url, served);
      notDispatched(env);
    },
  },
  {
    id: "MAL-07",
    group: "MAL",
    level: "should",
    title: "No input holds the event loop up for more than 200 ms.",
    needs: { ...requests, events: true, process: true },
    mutants: [],
    limit: 20,
    async run(env) {
      const other = await env.connect({ url: await env.listen() });
      const stall = async (): Promise<number> =>
        (await env.within("how long it was held up", env.calls.request(other, "stall"))).data as number; // what "stall" answers
      const deep = '[{"":'.repeat(200_000);
      const wide = `{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":0`).join(",")},}`;
      const escaped = `"${"\\u0041".repeat(500_000)}\\x"`;
      const give = rawGiver(env, env.children ? "stall" : "echo");
      // What the start of a process held up does not count.
      if (env.children) await give((call) => openerWith(env, call, "none", "never"));
      for (const [name, text] of Object.entries({ deep, wide, escaped })) {
        await stall();
        const taken = await give((call) => openerWith(env, call, text, "never"));
        const longest = env.children ? Number(taken?.answer) : await stall();
        env.handler.ok(
          `${name} input to hold the event loop up for less than 200 ms`,
          longest < 200 * env.scale,
          longest,
        );
      }
      const least = env.children || env.manifest.broker ? 1 : 3;
      env.wire.ok("connections for them to have been opened", env.tap.connections >= least, env.tap.connections);
    },
  },
];

/**
 * An opener of the trap. One that begins as Parley writes events may cost the connection when it is refused; where that is a process most begin
 * otherwise, or all.
 */
function opener(env: Environment, call: number, data: unknown, own: Own = "sometimes"): Record<string, unknown> {
  const { specversion, ...rest } = { ...env.calls.opener("request", TRAP, { data }) };
  if (env.tapping === "http") return { specversion, ...rest };
  const foreign = env.children && (own === "never" || env.random.int(env.count(80, 10)) > 0);
  const back = env.manifest.broker ? replyToOf(env) : {};
  return foreign ? { ...rest, specversion, call } : { specversion, ...back, ...rest, call };
}

type Own = "sometimes" | "never";

/** One with a text in the place of its data. */
function openerWith(env: Environment, call: number, text: string | Buffer, own?: Own): Buffer {
  const [head = "", tail = ""] = JSON.stringify(opener(env, call, JSON.parse(MARK) as string, own)).split(MARK);
  return Buffer.concat([Buffer.from(head), Buffer.from(text), Buffer.from(tail)]);
}

function notDispatched(env: Environment): void {
  const trapped = env.events(undefined, "called").filter(({ operation }) => operation === TRAP);
  env.handler.equal("calls that were dispatched", trapped.length, 0);
}

/** Another client, whom nothing of it must touch: gives what proves that it is served. */
async function bystander(env: Environment): Promise<() => Promise<void>> {
  // In one process what is forged reaches every connection there is, so it has to be another each time.
  if (env.tapping === "in-process") return async () => env.sentinel(await env.connect());
  const connection = await env.connect({ url: await env.listen() });
  return () => env.sentinel(connection);
}

/** Sends a JSON text as the data of an echo, and gives what came back. */
async function echoer(env: Environment): Promise<(text: string) => Promise<unknown>> {
  if (env.tapping === "http") {
    return async (text) => {
      const [head = "", tail = ""] = JSON.stringify({
        ...env.calls.opener("request", "echo", { data: JSON.parse(MARK) as string }),
      }).split(MARK);
      const { body } = await postRaw(env, "echo", Buffer.from(`${head}${text}${tail}`));
      return (JSON.parse(body) as { data?: unknown }).data;
    };
  }
  let text = "";
  env.tap.rewrite((frame, from) =>
    from === "dialler" && frame.includes(MARK) ? [frame.replace(MARK, () => text)] : undefined,
  );
  const connection: Connection = await env.connect();
  return async (next) => {
    // Where a message may be a line, JSON's white space cannot hold another.
    text = env.tapping === "lines" || env.tapping === "websocket" ? next.replaceAll("\n", " ") : next;
    const { data } = await env.within(
      "an echo",
      env.calls.request(connection, "echo", { data: JSON.parse(MARK) as string }),
    );
    return data;
  };
}

function byPlace(one: unknown, other: unknown): number {
  return (one as { at: number }).at - (other as { at: number }).at;
}
