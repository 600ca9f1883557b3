import { createHash } from "node:crypto";
import type { ParleyError } from "@parley/core";
import { type Connection, encode } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import { oversized } from "../faults/oversized.ts";
import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";

const MIB = 1024 * 1024;

/** LIM: what is declared to fit fits, what does not is refused, and costs nobody else anything. */
export const limitScenarios: readonly Scenario[] = [
  {
    id: "LIM-01",
    group: "LIM",
    level: "must",
    title:
      "A message of exactly the longest size passes, one byte more is resource_exhausted, here and, from a sender who does not keep to it, there; the connection works on, or the next one does.",
    needs: { kinds: ["request"] },
    mutants: ["off-by-one"],
    limit: 20,
    async run(env) {
      const tuning = { limits: { ...env.manifest.limits, maxMessageBytes: 64 * 1024 } };
      const max = env.tuned(tuning).manifest.limits.maxMessageBytes;
      const listener = await env.listen({ tuning });
      const url = await env.tap.through(listener);
      const connection = await env.connect({ url, tuning });
      let longestFrame = 0;
      let lie: number | undefined;
      env.tap.rewrite((frame, from) => {
        if (from !== "dialler" || !frame.includes("conformance.digest")) return undefined;
        if (lie === undefined) longestFrame = Math.max(longestFrame, Buffer.byteLength(frame));
        else return [frame.replace('"data":"', `"data":"${"x".repeat(lie - Buffer.byteLength(frame))}`)];
        return undefined;
      });
      const send = async (length: number): Promise<ParleyError | undefined> => {
        const made = env.calls.make(connection, "request", "digest", { data: "x".repeat(length) });
        const settled = made.reply.then(
          () => undefined,
          () => env.calls.error("a long message", made.reply),
        );
        const error = await env.within(`the end of a message of ${length} characters`, settled);
        if (!error) {
          const { data } = await env.calls.message(made);
          env.handler.equal("the length of what arrived", (data as { length: number }).length, length);
        } else {
          env.caller.equal("the code of what is too long", error.code, "resource_exhausted");
          env.caller.ok("the fate of what is too long to be known", error.outcome !== "unknown", error.outcome);
          env.handler.equal("what is too long and arrived", env.events(made.id, "called").length, 0);
        }
        return error;
      };
      let [passes, fails] = [0, max + 1];
      while (fails - passes > 1) {
        const middle = Math.floor((passes + fails) / 2);
        if (await send(middle)) fails = middle;
        else passes = middle;
      }
      if (env.tap.frames) env.wire.equal("the longest frame that passed", longestFrame, max);
      else {
        const longest = env.calls.opener("request", "digest", { data: "x".repeat(passes) });
        const bytes = Buffer.byteLength(encode(longest));
        // What stands around the data is the wire's own affair, within reason.
        env.wire.ok(`a message of about ${max} bytes to be the longest`, Math.abs(bytes - max) <= 512, bytes);
      }
      await env.sentinel(connection);

      const times = Math.ceil(max / 16) + 64;
      const answer = env.calls.make(connection, "request", "repeat", { data: { text: "0123456789abcdef", times } });
      const error = await env.within(
        "an answer that is too long",
        env.calls.error("an answer that is too long", answer.reply),
      );
      env.caller.equal("the code of an answer that is too long", error.code, "resource_exhausted");
      await env.sentinel(connection);

      if (env.tap.frames) {
        lie = max + 1;
        const liar = env.calls.make(connection, "request", "digest", { data: "small" });
        const refused = await env.within(
          "the end of a message that was made too long",
          env.calls.error("a message that was made too long", liar.reply),
        );
        env.caller.ok(
          "what was made too long to be refused, or to cost the connection",
          ["resource_exhausted", "unavailable"].includes(refused.code),
          refused.code,
        );
        env.handler.equal("what was made too long and arrived", env.events(liar.id, "called").length, 0);
        lie = undefined;
      }
      env.tap.rewrite(undefined);
      const same = await connection.ping().then(
        () => true,
        () => false,
      );
      const next = same ? connection : await env.connect({ url, tuning });
      await env.sentinel(next);
      await nothingOpen(env, next);
    },
  },
  {
    id: "LIM-02",
    group: "LIM",
    level: "must",
    title:
      "A body of 16 MiB, or as long as is declared to fit, arrives whole, in both directions, as text and as bytes.",
    needs: { kinds: ["request"] },
    mutants: ["truncates"],
    limit: 20,
    async run(env) {
      const connection = await env.connect();
      const longest = Math.min(16 * MIB, env.manifest.limits.maxMessageBytes) - 4_096;
      const text = `${env.random.hex(64)}${"0123456789abcdef".repeat(Math.ceil(longest / 16))}`.slice(0, longest);
      // Where bytes travel as base64 they take a third more.
      const bytes = Buffer.from(text).subarray(0, Math.floor((longest / 4) * 3) - 3);
      for (const [what, data] of [
        ["text", text],
        ["bytes", new Uint8Array(bytes)],
      ] as const) {
        const made = env.calls.make(connection, "request", "digest", { data });
        const reply = await env.within(`${data.length} of ${what} on their way up`, env.calls.message(made), 4 * env.t);
        const sha256 = createHash("sha256").update(data).digest("hex");
        env.handler.equal(`the ${what} that came up`, reply.data, { length: data.length, sha256 });
        const echo = await env.within(
          `${data.length} of ${what} there and back`,
          env.calls.request(connection, "echo", { data }),
          4 * env.t,
        );
        const back = echo.data as string | Uint8Array;
        env.caller.equal(`the length of the ${what} that came down`, back.length, data.length);
        env.caller.equal(`the ${what} that came down`, createHash("sha256").update(back).digest("hex"), sha256);
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "LIM-03",
    group: "LIM",
    level: "must",
    title:
      "A message that claims 2 GiB, has no end, or is 1 GiB once unpacked is refused, and memory grows by less than 16 MiB.",
    needs: { kinds: ["request"], tcp: true, serving: ["snapshot"] },
    mutants: ["reads-without-end"],
    limit: 20,
    async run(env) {
      const listener = await env.listen();
      const connection = await env.connect({ url: await env.tap.through(listener) });
      await env.sentinel(connection);
      for (const { name, send } of oversized(env.tapping, listener.protocol)) {
        const before = await env.serving.residentBytes();
        const { refused, sentBytes } = await env.within(`the refusal of ${name}`, send(listener), 4 * env.t);
        const grown = Math.round(((await env.serving.residentBytes()) - before) / MIB);
        env.history.note("suite", `${name}: ${refused ? "refused" : "taken"} after ${sentBytes} bytes, ${grown} MiB`);
        env.wire.ok(`${name} to be refused`, refused, `${sentBytes} bytes were taken`);
        env.processes.ok(`memory to grow by less than 16 MiB for ${name}`, grown < 16, grown);
      }
      if (env.tapping === "mqtt") await floodCaller(env, connection);
      if (env.tapping === "lines") await endlessLine(env, connection);
      await env.sentinel(
        connection.state === "open" ? connection : await env.connect({ url: await env.tap.through(listener) }),
      );
      const arrived = env.events(undefined, "called").filter(({ detail }) => {
        return (detail as { message: { data: unknown } }).message.data !== "sentinel";
      });
      env.handler.equal("messages without end that arrived", arrived.length, 0);
    },
  },
  {
    id: "LIM-04",
    group: "LIM",
    level: "must",
    title:
      "One call more than a connection takes at a time waits or is resource_exhausted, also where the caller does not know the limit; the others do not notice.",
    needs: { kinds: ["request"] },
    mutants: ["falls-with-the-last"],
    limit: 20,
    async run(env) {
      const tuning = { limits: { ...env.manifest.limits, maxCalls: 8 } };
      const { maxCalls } = env.tuned(tuning).manifest.limits;
      const url = await env.tap.through(await env.listen({ tuning }));
      for (const knows of env.tap.frames ? [true, false] : [true]) {
        let hidden = false;
        if (!knows) {
          env.tap.rewrite((frame, from) => {
            if (from !== "listener" || hidden || !frame.includes(`"maxCalls":${maxCalls}`)) return undefined;
            hidden = true;
            return [frame.replace(`"maxCalls":${maxCalls}`, `"maxCalls":${maxCalls * 4}`)];
          });
        }
        const connection = await env.connect({ url, tuning });
        const gate = `lim-4-${knows}`;
        const made = upTo(maxCalls).map((n) =>
          env.calls.make(connection, "request", "gate", { data: { gate, value: n } }),
        );
        const ids = new Set(made.map(({ id }) => id));
        await env.until(`${maxCalls} calls at the gate`, () => {
          return env.events(undefined, "gate").filter(({ call }) => ids.has(call)).length === maxCalls;
        });
        const extra = env.calls.make(connection, "request", "echo", { data: "one more" });
        const waits = Symbol("waits");
        const ended = await Promise.race([
          extra.reply.then(
            () => "answered",
            (error: unknown) => error,
          ),
          new Promise((resolve) => setTimeout(() => resolve(waits), env.t / 4)),
        ]);
        if (ended !== waits) {
          const error = await env.calls.error("one call more than fit", extra.reply);
          env.caller.equal("how one call more ends", [error.code, error.outcome], ["resource_exhausted", "not-sent"]);
          env.handler.equal("runs of one call more", env.events(extra.id, "called").length, 0);
        }
        await env.serving.release(gate);
        const replies = await env.within(
          "the replies of the others",
          Promise.all(made.map((one) => env.calls.message(one))),
        );
        env.caller.equal(
          "the replies of the others",
          replies.map(({ data }) => data),
          upTo(maxCalls),
        );
        if (ended === waits) await env.within("the reply of the one that waited", env.calls.message(extra));
        env.caller.equal("the state of the connection", connection.state, "open");
        await env.sentinel(connection);
        env.tap.rewrite(undefined);
      }
    },
  },
];

/** A line that does not end, on a connection that is open. */
async function endlessLine(env: Environment, connection: Connection): Promise<void> {
  const chunk = Buffer.alloc(256 * 1024, "x");
  const growthOver = async (bytes: number): Promise<number> => {
    const before = await env.serving.residentBytes();
    for (let sent = 0; sent < bytes && connection.state === "open"; sent += chunk.length) {
      env.tap.inject(chunk, "dialler");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return Math.round(((await env.serving.residentBytes()) - before) / MIB);
  };
  let grown = await growthOver(48 * MIB);
  // What has read that much may keep buffers for the next; only a line that is kept grows each time.
  for (let left = 3; left > 0 && grown >= 16 && connection.state === "open"; left--) grown = await growthOver(48 * MIB);
  env.processes.ok("memory to grow by less than 16 MiB for a line without end", grown < 16, grown);
  // Either it costs the connection, or it is passed over to where the next line begins.
  env.tap.inject(Buffer.from("\n"), "dialler");
  const passedOver = env.sentinel(connection).then(
    () => true,
    () => false,
  );
  const works = await env.within(
    "an answer after a line without end, or the end of the connection",
    passedOver,
    3 * env.t,
  );
  env.wire.ok("the line not to be taken for a message", works || connection.state !== "open", connection.state);
}

/** A broker's client is told of a message of 256 MiB (MQTT, 2.1.4: the longest there is), of which 32 MiB come. */
async function floodCaller(env: Environment, connection: Connection): Promise<void> {
  const before = process.memoryUsage.rss();
  env.tap.inject(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), "listener");
  const chunk = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < 32 * MIB && connection.state === "open"; sent += chunk.length) {
    env.tap.inject(chunk, "listener");
    await new Promise((resolve) => setImmediate(resolve));
  }
  const grown = Math.round((process.memoryUsage.rss() - before) / MIB);
  env.processes.ok("memory of a caller who is flooded to grow by less than 16 MiB", grown < 16, grown);
}
