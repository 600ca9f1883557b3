import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { upTo } from "./expect.ts";

/** DUP: a fixture that handles calls once, however often they come. */
export const duplicateScenarios: readonly Scenario[] = [
  {
    id: "DUP-01",
    group: "DUP",
    level: "must",
    title:
      "A request that comes again, with the id it had, is handled once and answered each time; another with the same data is another.",
    needs: { kinds: ["request"], serving: ["dedupe"] },
    mutants: ["handles-again", "tells-calls-by-data"],
    async run(env) {
      const url = await env.tap.through(await env.listen({ dedupe: {} }));
      const connection = await env.connect({ url });
      const opener = env.calls.opener("request", "echo", { data: "the same" });
      for (const n of upTo(3)) {
        const { message } = await env.within(`answer ${n}`, env.calls.send(connection, opener).reply);
        env.caller.equal(`the data of answer ${n}`, message?.data, "the same");
        env.caller.equal(`the request that answer ${n} is to`, message?.inreplyto ?? opener.id, opener.id);
      }
      env.handler.equal("runs of a request that came 3 times", env.events(opener.id, "called").length, 1);
      const other = await env.within("an answer", env.calls.request(connection, "echo", { data: "the same" }));
      env.caller.equal("the data of another answer", other.data, "the same");
      env.handler.equal("runs of 2 requests with the same data", env.events(undefined, "called").length, 2);
      const told = { code: "not_found", message: "no such thing" };
      const failing = env.calls.opener("request", "fail", { data: told });
      for (const n of upTo(2)) {
        const error = await env.within(
          `refusal ${n}`,
          env.calls.error("a request that fails", env.calls.send(connection, failing).reply),
        );
        env.caller.equal(`refusal ${n}`, [error.code, error.message], [told.code, told.message]);
      }
      env.handler.equal("runs of a request that failed", env.events(failing.id, "called").length, 1);
      const changed = { ...opener, data: "another" };
      const conflict = await env.within(
        "the refusal",
        env.calls.error("the id of another request", env.calls.send(connection, changed).reply),
      );
      env.caller.equal("how a request with the id of another ends", conflict.code, "already_exists");
    },
  },
  {
    id: "DUP-02",
    group: "DUP",
    level: "must",
    title: "Of 20 requests at once that bear the same idempotency key one is handled, and all get its answer.",
    needs: { kinds: ["request"], serving: ["dedupe"] },
    mutants: ["forgets-keys"],
    async run(env) {
      const url = await env.tap.through(await env.listen({ dedupe: {} }));
      const one = await env.connect({ url });
      // Each has a memory of its own, where each has a process of its own.
      const other = env.children ? one : await env.connect({ url });
      const data = { gate: "dup2", value: "the answer" };
      const all = upTo(20).map((n) =>
        env.calls.make(n % 2 === 0 ? one : other, "request", "gate", { data, attributes: { idempotencykey: "dup2" } }),
      );
      for (const connection of [one, other]) await env.sentinel(connection);
      await env.serving.release("dup2");
      const answers = await env.within("20 answers", Promise.all(all.map(({ reply }) => reply)));
      env.caller.equal(
        "the answers",
        answers.map(({ message }) => message?.data),
        all.map(() => "the answer"),
      );
      const runs = env.events(undefined, "called").filter(({ operation }) => operation === "gate");
      env.handler.equal("runs of 20 requests with one key", runs.length, 1);
    },
  },
  {
    id: "DUP-03",
    group: "DUP",
    level: "must",
    title:
      "Calls are remembered within bounds, so that a million take less than 64 MiB, and no longer than the window: what comes again after it is handled again.",
    needs: { kinds: ["request"], serving: ["dedupe", "snapshot"] },
    mutants: ["keeps-all-calls", "never-forgets"],
    limit: 400,
    async run(env) {
      const calls = env.count(20_000, 1_000_000);
      // What calls take of a process once, whether or not they are remembered.
      const plain = await env.listen();
      await many(env, await env.connect({ url: plain }), Math.min(calls, 50_000));
      // Those who serve one name at a broker share its calls.
      const beside = (name: string) => (env.manifest.broker ? { url: `${plain.href}-${name}` } : {});
      const remembering = await env.connect({ url: await env.listen({ dedupe: {}, ...beside("remembers") }) });
      await many(env, remembering, 100);
      const before = await grownTo(env);
      await many(env, remembering, calls);
      const grown = (await grownTo(env)) - before;
      env.history.note("suite", `the serving side grew by ${Math.round(grown / MIB)} MiB over ${calls} calls`);
      env.processes.ok(`growth below 64 MiB over ${calls} calls`, grown < 64 * MIB, grown);
      const windowMs = env.t / 2;
      const forgetting = await env.connect({ url: await env.listen({ dedupe: { windowMs }, ...beside("forgets") }) });
      const opener = env.calls.opener("request", "echo", { data: "again" });
      const send = () => env.within("an answer", env.calls.send(forgetting, opener).reply);
      const runs = (): number => env.events(opener.id, "called").length;
      await send();
      await env.until("the first run", () => runs() > 0);
      const handledAt = performance.now();
      await send();
      // A machine that stood still for so long in between says nothing of the wire.
      if (performance.now() - handledAt < windowMs / 2) env.handler.equal("runs within the window", runs(), 1);
      const known = runs();
      await new Promise((resolve) => setTimeout(resolve, 1.5 * windowMs));
      await send();
      await env.until("a run after the window", () => runs() > known);
      env.handler.equal("runs after the window", runs() - known, 1);
    },
  },
];

const MIB = 1024 * 1024;

/** What the serving side holds, bytes. Where the suite lives there too, only the heap, which has no part in what its tap keeps of the wire. */
async function grownTo({ serving, tapping }: Environment): Promise<number> {
  const resident = await serving.residentBytes();
  return tapping === "in-process" ? process.memoryUsage().heapUsed : resident;
}

/** Makes so many calls, some hundred at a time. */
async function many(env: Environment, connection: Connection, calls: number): Promise<void> {
  const together = Math.min(256, env.manifest.limits.maxCalls);
  let left = calls;
  await Promise.all(
    upTo(together).map(async () => {
      while (left-- > 0) await env.calls.request(connection, "sink", { data: "x" });
    }),
  );
}
