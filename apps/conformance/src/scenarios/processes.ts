import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import { residentBytes } from "../hygiene.ts";
import type { Scenario } from "../scenario.ts";
import { nextTurn, upTo } from "./expect.ts";
import { kill, type Programs, processOf, withPrograms } from "./programs.ts";
import { stay } from "./visitor.ts";

const MIB = 1024 * 1024;
/** Fewer than a peer answers at a time. */
const REQUESTS = 512;
/** How often a child that crashes may be started again. */
const MAX_ATTEMPTS = 4;

/** PRC: what becomes of a wire whose listening side is a child process, when that dies, hangs, babbles or does not start. */
export const processScenarios: readonly Scenario[] = [
  {
    id: "PRC-01",
    group: "PRC",
    level: "must",
    title:
      "When the child exits, with 0 or 3, or is killed, all that is under way ends within T, and the error says how; nothing is left of it, not even a zombie.",
    needs: { kinds: ["request", "notify", "server-stream"], child: true },
    mutants: ["waits-for-the-dead", "hides-the-end"],
    limit: 20,
    run: (env) =>
      withPrograms(async (programs) => {
        for (const how of [{ exitCode: 0 }, { exitCode: 3 }, { signal: "SIGKILL" }]) {
          const what = `with ${JSON.stringify(how)}`;
          const { connection, pid } = await start(env, programs);
          const asked = env.calls.make(connection, "request", "hang");
          const stream = env.calls.make(connection, "server-stream", "items");
          const output = (await env.within("the acceptance", env.calls.output(stream)))[Symbol.asyncIterator]();
          for (const n of upTo(3)) {
            env.caller.equal("an item", (await env.within("an item", output.next())).value?.data, n);
          }
          const reading = output.next();
          reading.catch(() => {});
          if (how.signal === undefined) env.calls.make(connection, "notify", "exit", { data: how.exitCode });
          else process.kill(pid, how.signal);
          for (const [name, one] of Object.entries({ "a request": asked.reply, "a stream": reading })) {
            const error = await env.within(`the end of ${name}, ${what}`, env.calls.error(name, one));
            env.caller.equal(`the code of ${name}, ${what}`, error.code, "unavailable");
            const told = error.details as Readonly<Record<string, unknown>> | undefined;
            const said = Object.fromEntries(Object.keys(how).map((key) => [key, told?.[key]]));
            env.caller.equal(`what the error of ${name} says of how the child ended`, said, how);
          }
          await env.within(`the end of the connection, ${what}`, connection.closed);
          const late = env.calls.error("a request after the end", env.calls.make(connection, "request", "pid").reply);
          env.caller.equal("the outcome of a request after the end", (await late).outcome, "not-sent");
          await env.until("the child to leave the table of processes", () => processOf(pid) === undefined);
          env.processes.equal(`what is left of a child that ended ${what}`, processOf(pid), undefined);
        }
      }),
  },
  {
    id: "PRC-02",
    group: "PRC",
    level: "must",
    title:
      "Closing ends the child's stdin, then asks, then kills, within the grace, also where the child heeds neither and where a grandchild holds its stdout; and a child whose parent dies exits within T.",
    needs: { kinds: ["request"], child: true },
    mutants: ["waits-for-the-pipe"],
    limit: 30,
    run: (env) =>
      withPrograms(async (programs) => {
        const [graceMs, exitMs] = [env.t / 8, env.t / 8];
        for (const mode of ["stubborn", "heir", "heir-apart"] as const) {
          const { connection, pid } = await start(env, programs, { mode, tuning: { exitMs } });
          const asked = env.calls.make(connection, "request", "hang");
          await env.within(`close() of a ${mode} child`, connection.close({ graceMs }), graceMs + 2 * exitMs + env.t);
          const error = await env.within("the end of a call", env.calls.error("a call at close()", asked.reply));
          env.caller.equal("the code of a call that close() ends", error.code, "unavailable");
          // Whoever left the child's group by its own will is not the transport's to end.
          for (const one of mode === "heir-apart" ? programs.running() : []) {
            if (one.pid !== pid) kill(one.pid, "SIGKILL");
          }
          await env.until("the child, and all it left behind, to be gone", () => programs.running().length === 0);
          env.processes.equal(`what is left of a ${mode} child`, processOf(pid), undefined);
        }
        const heard = programs.journal().filter((line) => line !== "started");
        env.handler.equal("what the stubborn child heard first", heard.slice(0, 2), ["the end of stdin", "SIGTERM"]);
        if (env.module !== undefined) await parentDies(env, env.module);
      }),
  },
  {
    id: "PRC-03",
    group: "PRC",
    level: "must",
    title:
      "10 MiB on the child's stderr hold nothing up and are never taken for frames; what else it prints to stdout is passed over and counted, or ends the connection with an error.",
    needs: { kinds: ["request"], child: true },
    mutants: ["parses-stderr"],
    limit: 20,
    run: (env) =>
      withPrograms(async (programs) => {
        const { connection } = await start(env, programs);
        const before = connection.stats();
        const flood = env.calls.make(connection, "request", "flood", { data: 10 * MIB });
        const answer = await env.within("an answer behind 10 MiB of stderr", env.calls.message(flood), 5 * env.t);
        env.caller.equal("the answer, which stderr has as well", answer.data, "from stdout");
        env.handler.ok("all of it to have been taken", programs.journal().includes("flooded"), programs.journal());
        await pidOf(env, connection);
        env.caller.equal("messages counted for what stood on stderr", counted(connection), before);

        const noise = env.calls.make(connection, "request", "noise");
        const passedOver = await env.within(
          "an answer behind noise, or the end of the connection",
          noise.reply.then(
            () => true,
            () => false,
          ),
        );
        if (passedOver) {
          env.caller.equal("the answer behind noise", (await env.calls.message(noise)).data, "after the noise");
          const lines = connection.stats().refusedMessages - before.refusedMessages;
          env.caller.ok("at least the 4 lines of noise that are not blank to be counted", lines >= 4, lines);
          await pidOf(env, connection);
        } else {
          await env.calls.error("a request behind noise", noise.reply);
          env.caller.ok("a reason for the end", (await env.within("the end", connection.closed)) !== undefined);
        }
      }),
  },
  {
    id: "PRC-04",
    group: "PRC",
    level: "must",
    title:
      "While the child does not read its stdin, 128 MiB that are offered to it cost less than 32 MiB: they wait, or the connection ends with resource_exhausted.",
    needs: { kinds: ["request"], child: true },
    mutants: ["never-full"],
    limit: 30,
    run: (env) =>
      withPrograms(async (programs) => {
        const { connection, pid } = await start(env, programs);
        const text = "x".repeat((128 * MIB) / REQUESTS);
        const before = residentBytes();
        process.kill(pid, "SIGSTOP");
        const made = upTo(REQUESTS).map(() => env.calls.make(connection, "request", "count", { data: text }));
        for (const _ of upTo(10)) await nextTurn();
        const grown = Math.round((residentBytes() - before) / MIB);
        env.processes.ok("memory to grow by less than 32 MiB for a child that does not read", grown < 32, grown);
        kill(pid, "SIGCONT");
        const answers: unknown[] = [];
        const failures: string[] = [];
        const ended = made.map(({ reply }) =>
          reply.then(
            ({ message }) => answers.push(message?.data),
            async () => failures.push((await env.calls.error("what was offered", reply)).code),
          ),
        );
        await env.within("the end of all that was offered", Promise.all(ended), 10 * env.t);
        env.caller.equal("the answers, in order", answers, upTo(answers.length));
        const others = failures.filter((code) => code !== "resource_exhausted" && code !== "unavailable");
        env.caller.equal("other ends than an answer, resource_exhausted and unavailable", others, []);
        env.caller.ok(
          "every request to be answered, or the connection to have ended",
          failures.length === 0 || connection.state !== "open",
          failures.length,
        );
      }),
  },
  {
    id: "PRC-05",
    group: "PRC",
    level: "must",
    title:
      "A program that does not exist, may not be executed or crashes at once is an error of connect(), not-sent; one that crashes again and again is started a bounded number of times.",
    needs: { kinds: ["request"], child: true },
    mutants: ["awaits-no-program", "starts-for-ever"],
    limit: 30,
    run: (env) =>
      withPrograms(async (programs) => {
        const { missing, plain } = programs;
        const crashing = programs.wayward("crash");
        for (const [what, program] of Object.entries({ missing, plain, crashing })) {
          const name = `connect() to a program that is ${what}`;
          const error = await env.within(name, env.calls.error(name, env.dial({ program })), 4 * env.t);
          env.caller.equal(`the outcome of ${name}`, error.outcome, "not-sent");
          if (program !== crashing) continue;
          env.caller.equal(`the code of ${name}`, error.code, "unavailable");
          const { exitCode } = (error.details ?? {}) as { readonly exitCode?: unknown };
          env.caller.equal(`the exit code in the error of ${name}`, exitCode, 9);
        }
        env.handler.equal("starts of a program that crashes", programs.journal(), ["started"]);

        const program = programs.wayward("brief");
        const reconnect = { baseMs: 1, maxMs: 60_000, maxAttempts: MAX_ATTEMPTS };
        const { connection } = await env.lasting({ program, reconnect, connectTimeoutMs: 4 * env.t });
        const reason = await env.within("the end of a crash loop", connection.closed, 12 * env.t);
        env.caller.equal("why a crash loop ended", reason?.code, "unavailable");
        const starts = programs.journal().length - 1;
        env.handler.ok(`at most ${MAX_ATTEMPTS + 1} starts in a crash loop`, starts <= MAX_ATTEMPTS + 1, starts);
        await env.until("nothing of it to run", () => programs.running().length === 0);
        env.processes.equal("what is left of a crash loop", programs.running(), []);
      }),
  },
];

interface Started {
  readonly connection: Connection;
  readonly pid: number;
}

async function start(
  env: Environment,
  programs: Programs,
  { mode, tuning }: { readonly mode?: Parameters<Programs["wayward"]>[0]; readonly tuning?: { exitMs: number } } = {},
): Promise<Started> {
  const connection = await env.connect({ program: programs.wayward(mode), tuning });
  return { connection, pid: await pidOf(env, connection) };
}

async function pidOf(env: Environment, connection: Connection): Promise<number> {
  return (await env.within("an answer of the child", env.calls.request(connection, "pid"))).data as number; // what it answers
}

/** Without what is merely under way. */
function counted(connection: Connection): ReturnType<Connection["stats"]> {
  return { ...connection.stats(), openCalls: 0 };
}

/** A process that has dialled, with a call under way, is killed: what it started exits by itself. */
async function parentDies(env: Environment, module: string): Promise<void> {
  const parent = await env.within("a process that dials and stays", stay(env, module), 5 * env.t);
  await env.event("visitor", "gate");
  const { pid } = env.serving;
  if (pid === undefined) throw new Error("there is more than one serving process, or none");
  parent.kill("SIGKILL");
  await env.until("the exit of the child of a process that was killed", () => processOf(pid) === undefined);
  env.processes.equal("the child of a process that was killed", processOf(pid), undefined);
  const [aborted] = env.events("visitor", "aborted");
  env.handler.ok("its call to have been aborted", aborted !== undefined);
}
