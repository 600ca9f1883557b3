import type { Call } from "@parley/core/transport";
import type { Scenario } from "../scenario.ts";
import type { Called } from "../serving/control.ts";
import { upTo } from "./expect.ts";

const request = { kinds: ["request"] } as const;

/** RR: one message there, one back, each to its own call. */
export const requestScenarios: readonly Scenario[] = [
  {
    id: "RR-01",
    group: "RR",
    level: "must",
    title:
      "An echo returns the body; a reply without data differs from a reply with null; every reply names the request it answers.",
    needs: request,
    mutants: ["wrong-correlation", "null-for-nothing"],
    async run(env) {
      const connection = await env.connect();
      const body = { text: "hello", at: env.random.int(1e9) };
      const cases = [
        { operation: "echo", data: body, has: true, expected: body },
        { operation: "echo", data: null, has: true, expected: null },
        { operation: "nothing", data: body, has: false, expected: undefined },
      ];
      for (const { operation, data, has, expected } of cases) {
        const made = env.calls.make(connection, "request", operation, { data });
        const reply = await env.within(`the reply of ${operation}`, env.calls.message(made));
        env.caller.equal(`whether ${operation} answers with data`, "data" in reply, has);
        env.caller.equal(`the answer of ${operation}`, reply.data, expected);
        env.caller.equal(`the kind of the answer of ${operation}`, reply.kind, "reply");
        env.caller.ok(
          "the reply to name the request",
          reply.id === `${made.id}.r` || reply.inreplyto === made.id,
          reply,
        );
        env.handler.equal(`the data that ${operation} got`, (await env.called(made.id)).message.data, data);
      }
    },
  },
  {
    id: "RR-02",
    group: "RR",
    level: "must",
    title: "100 concurrent requests on one connection, answered in reverse order, each get their own reply.",
    needs: request,
    mutants: ["first-in-first-out"],
    async run(env) {
      const connection = await env.connect();
      const made = upTo(100).map((n) =>
        env.calls.make(connection, "request", "gate", { data: { gate: `g${n}`, value: n } }),
      );
      await env.until("100 calls at their gates", () => env.events(undefined, "gate").length === 100);
      await env.serving.release(...upTo(100).map((n) => `g${101 - n}`));
      const replies = await env.within("100 replies", Promise.all(made.map((one) => env.calls.message(one))));
      env.caller.equal(
        "the replies, by request",
        replies.map(({ data }) => data),
        upTo(100),
      );
      const answered = env.events(undefined, "returned").map(({ call }) => call);
      env.handler.equal("the order of answering", answered, made.map(({ id }) => id).reverse());
    },
  },
  {
    id: "RR-03",
    group: "RR",
    level: "must",
    title:
      "A reply to no known request, and a second reply to a settled one, are dropped and counted, and the connection works on.",
    needs: { kinds: ["request"], frames: true },
    mutants: ["dies-of-late-replies"],
    async run(env) {
      let forged = 0;
      env.tap.rewrite((frame, from) => {
        if (from !== "listener" || forged > 0 || !frame.includes('"twice"')) return undefined;
        forged++;
        const reply = JSON.parse(frame) as Record<string, unknown>;
        const unknown = {
          ...reply,
          id: "nobody-asked.r",
          inreplyto: "nobody-asked",
          call: 2 ** 31 - 1,
          data: "forged",
        };
        return [frame, frame, JSON.stringify(unknown)];
      });
      const connection = await env.connect();
      const before = connection.stats().lateMessages;
      const reply = await env.within("the reply", env.calls.request(connection, "echo", { data: "twice" }));
      env.caller.equal("the reply", reply.data, "twice");
      env.wire.equal("forged replies", forged, 1);
      await env.sentinel(connection);
      env.caller.equal("late messages that were counted", connection.stats().lateMessages - before, 2);
      const after = await env.within("a later request", env.calls.request(connection, "echo", { data: "after" }));
      env.caller.equal("a later reply on the connection", after.data, "after");
      env.caller.equal("the state of the connection", connection.state, "open");
    },
  },
  {
    id: "RR-04",
    group: "RR",
    level: "must",
    title: "A request of an unknown operation is refused as unimplemented within T; it never runs into a timeout.",
    needs: request,
    mutants: ["drops-silently"],
    async run(env) {
      const connection = await env.connect();
      for (const type of ["conformance.nosuch.v1", "nobody.here.v1", "conformance.echo.v99"]) {
        const opener = env.calls.opener("request", "echo", { data: 1, attributes: { type } });
        const made = env.calls.send(connection, opener);
        const error = await env.within(`the refusal of ${type}`, env.calls.error(`a request of ${type}`, made.reply));
        env.caller.ok(
          `${type} to be refused`,
          ["unimplemented", "failed_precondition"].includes(error.code),
          error.code,
        );
        if (!type.includes("v99")) env.caller.equal(`the code for ${type}`, error.code, "unimplemented");
        env.caller.ok(`the outcome for ${type} to be known`, error.outcome !== "unknown", error.outcome);
        env.handler.equal(`${type} that ran`, env.events(made.id, "returned").length, 0);
      }
      await env.sentinel(connection);
    },
  },
  {
    id: "RR-05",
    group: "RR",
    level: "must",
    title:
      "A notification resolves on acceptance, not on completion, brings no reply on the wire, and a throwing handler does not reach its sender.",
    needs: { kinds: ["notify", "request"] },
    mutants: ["waits-for-handler"],
    async run(env) {
      const connection = await env.connect();
      const slow = env.calls.make(connection, "notify", "note", { data: { gate: "note" } });
      const reply = await env.within("the acceptance of a notification whose handler is not done", slow.reply);
      env.caller.equal("the answer to a notification", reply.message, undefined);
      await env.event(slow.id, "gate");
      env.handler.equal("handlers that were done when it resolved", env.events(slow.id, "returned").length, 0);
      await env.serving.release("note");
      await env.event(slow.id, "returned");
      const throwing = env.calls.make(connection, "notify", "note", { data: { throws: "on purpose" } });
      await env.within("the acceptance of a notification whose handler throws", throwing.reply);
      await env.event(throwing.id, "threw");
      const control = env.calls.make(connection, "request", "echo", { data: "control" });
      await env.within("a request after them", env.calls.message(control));
      env.wire.ok("the reply to a request to be seen by the tap", env.tap.contains("listener", control.id));
      for (const { id } of [slow, throwing]) {
        env.wire.equal("replies to a notification on the wire", env.tap.contains("listener", id), false);
      }
      env.caller.equal("the state of the connection", connection.state, "open");
    },
  },
  {
    id: "RR-06",
    group: "RR",
    level: "must",
    title: "The listening side calls the one that dialled, over the connection that is there.",
    needs: { kinds: ["request"], serverInitiated: true },
    mutants: ["ignores-the-peer"],
    async run(env) {
      const seen: unknown[] = [];
      const connection = await env.connect({
        handler: (call: Call) => {
          seen.push(call.message.data);
          return {
            message: { ...call.message, id: `${call.message.id}.r`, kind: "reply", data: ["back", call.message.data] },
          };
        },
      });
      const before = env.tap.connections;
      const data = { question: env.random.hex(8) };
      const reply = await env.within("the answer of a call back", env.calls.request(connection, "callback", { data }));
      env.caller.equal("what the dialling side was asked", seen, [data]);
      env.caller.equal("what the listening side was answered", reply.data, ["back", data]);
      // HTTP's caller may take another connection for its answer.
      const most = env.tapping === "http" ? 1 : 0;
      env.wire.ok(`at most ${most} connections to be opened for it`, env.tap.connections - before <= most);
    },
  },
  {
    id: "RR-07",
    group: "RR",
    level: "must",
    title:
      "Of 50 interleaved requests on two connections each handler sees its own attributes, peer and deadline, also after awaiting.",
    needs: request,
    mutants: ["shares-context"],
    async run(env) {
      const connections = [await env.connect(), await env.connect()];
      const timeouts = upTo(50).map((n) => (20 + n) * env.t);
      const made = timeouts.map((timeoutMs, at) =>
        env.calls.make(connections[at % 2] as (typeof connections)[0], "request", "context", {
          data: { rounds: 3 },
          attributes: { acmeown: `call-${at}`, correlationid: `flow-${at}` },
          timeoutMs,
        }),
      );
      const replies = await env.within("50 replies", Promise.all(made.map((one) => env.calls.message(one))));
      const peers: Set<unknown>[] = [new Set(), new Set()];
      for (const [at, reply] of replies.entries()) {
        const looks = reply.data as readonly Look[];
        const timeoutMs = timeouts[at] ?? 0;
        env.caller.equal("looks that a handler took", looks.length, 4);
        for (const look of looks) {
          env.caller.equal("the peer that the handler saw, before and after waiting", look.address, looks[0]?.address);
          env.caller.equal("the attributes that the handler saw", [look.own, look.flow], [`call-${at}`, `flow-${at}`]);
          env.caller.ok(
            `the time left (at most ${timeoutMs})`,
            look.remainingMs <= timeoutMs && look.remainingMs > timeoutMs - 5 * env.t,
            look.remainingMs,
          );
          peers[at % 2]?.add(look.address);
        }
      }
      if (!env.shared && env.manifest.broker === null && env.serving.pid !== undefined) {
        const both = [...(peers[0] ?? [])].filter((address) => peers[1]?.has(address));
        env.handler.equal("peers that calls of both connections seem to come from", both, []);
      }
      const all = env.events(undefined, "called").map(({ detail }) => (detail as Called).message["acmeown"]);
      env.handler.equal(
        "calls that arrived",
        [...all].sort(),
        upTo(50)
          .map((n) => `call-${n - 1}`)
          .sort(),
      );
    },
  },
  {
    id: "RR-08",
    group: "RR",
    level: "must",
    title:
      "After a cut behind a request that was sent, its handler ran at most once and the caller gets unavailable, outcome unknown; a refused connection is not-sent.",
    needs: request,
    mutants: ["retries-blindly"],
    limit: 16,
    async run(env) {
      for (const how of ["fin", "rst"] as const) {
        const running = await env.connect();
        const made = env.calls.make(running, "request", "gate", { data: { gate: `never-${how}` } });
        await env.event(made.id, "gate");
        env.tap.cut(how);
        await expectLost(made.reply, `a request that was running (${how})`);
        env.handler.equal("runs of a request that was cut", env.events(made.id, "called").length, 1);
      }
      const flushed = await env.connect();
      env.tap.hold("dialler");
      const made = env.calls.make(flushed, "request", "echo", { data: "flushed" });
      await env.until("the request's bytes on the wire", () => env.tap.held("dialler") > 0);
      env.tap.cut("rst");
      await expectLost(made.reply, "a request whose bytes had left");
      env.tap.release("dialler");
      const fresh = await env.connect();
      await env.sentinel(fresh);
      env.handler.ok("at most one run of a request whose bytes had left", env.events(made.id, "called").length <= 1);
      await env.serving.close(0);
      const refused = await env.calls.error(
        "connect() to where nobody listens",
        env.within("the refusal", env.dialRefused()),
      );
      env.caller.equal("the code of a refused connection", refused.code, "unavailable");
      env.caller.equal("the outcome of a refused connection", refused.outcome, "not-sent");

      async function expectLost(reply: Promise<unknown>, what: string): Promise<void> {
        const error = await env.within(`the end of ${what}`, env.calls.error(what, reply));
        env.caller.equal(`the code of ${what}`, error.code, "unavailable");
        env.caller.equal(`the outcome of ${what}`, error.outcome, "unknown");
      }
    },
  },
];

interface Look {
  readonly own: unknown;
  readonly flow: unknown;
  readonly remainingMs: number;
  readonly address: unknown;
}
