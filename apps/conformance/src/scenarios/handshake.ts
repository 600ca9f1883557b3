import { client, contract, type ParleyError, request } from "@parley/core";
import type { Connection } from "@parley/core/transport";
import type { Scenario } from "../scenario.ts";
import { anything, versioned } from "../serving/contract.ts";
import type { Called } from "../serving/control.ts";
import { refusedHere, watchStalls } from "./expect.ts";
import { garbageAtListener, strangers } from "./strangers.ts";

const requests = { kinds: ["request"] } as const;

/** HS: both sides know with whom they talk, and find out when they cannot. */
export const handshakeScenarios: readonly Scenario[] = [
  {
    id: "HS-01",
    group: "HS",
    level: "must",
    title:
      "After the handshake both sides use one profile, know the peer's operations, keep to the smaller limit of the two, and pass over what they do not know.",
    needs: requests,
    mutants: ["ignores-peer-limits"],
    async run(env) {
      const connection = await env.connect();
      env.caller.equal("the profile", connection.hello.profile, "1");
      env.caller.equal(
        "versions of an operation that the peer announced",
        connection.hello.operations?.["conformance.echo"],
        {
          kind: "request",
          versions: [1],
        },
      );
      env.caller.equal("the limits that the peer announced", connection.hello.limits, env.manifest.limits);
      env.wire.ok("the profiles to be on the wire", env.tap.contains("listener", '"profile"'));
      if (!env.tap.frames) return;
      const small = 16_384;
      const big = "b".repeat(2 * small);
      for (const from of ["listener", "dialler"] as const) {
        env.tap.rewrite((frame, sender) =>
          sender === from ? shrink(frame, env.manifest.limits.maxMessageBytes, small) : undefined,
        );
        const limited = await env.connect();
        const fits = await env.within(
          "a reply within the limit",
          env.calls.request(limited, "echo", { data: "small" }),
        );
        env.caller.equal("a reply within the limit", fits.data, "small");
        if (from === "listener") {
          env.caller.equal("the limit of the peer", limited.hello.limits?.maxMessageBytes, small);
          const make = () => env.calls.make(limited, "request", "echo", { data: big });
          await refusedHere(env, "a message over the peer's limit", make, {
            code: "resource_exhausted",
            outcome: "not-sent",
          });
        } else {
          const made = env.calls.make(limited, "request", "repeat", { data: { text: "b", times: big.length } });
          const error = await env.within("the refusal", env.calls.error("a reply over the caller's limit", made.reply));
          env.caller.equal("the code for a reply over the caller's limit", error.code, "resource_exhausted");
          env.handler.equal("runs of its handler", env.events(made.id, "called").length, 1);
        }
        await env.sentinel(limited);
        env.tap.rewrite(undefined);
      }
    },
  },
  {
    id: "HS-02",
    group: "HS",
    level: "must",
    title:
      "Versions [1..3] and [2..5] of an operation meet at 3, whichever side has which; disjoint ranges fail on both sides, with both ranges, and nothing is dispatched.",
    needs: { ...requests, serving: ["versions"] },
    mutants: ["picks-lowest-version"],
    async run(env) {
      const connection = await env.connect();
      for (const [name, own] of [
        ["newer", [1, 3]],
        ["older", [2, 5]],
      ] as const) {
        const remote = client(contract("conformance", { [name]: versioned(own[0], own[1]) }), connection.call, {
          operations: connection.hello.operations,
        });
        const answer = await env.within(`the answer of ${name}`, remote[name]?.(`to ${name}`) ?? Promise.resolve());
        env.caller.equal(`the answer of ${name}`, answer, `to ${name}`);
        const called = env.events(undefined, "called").filter(({ operation }) => operation === name);
        env.handler.equal(
          `the version of ${name} that was chosen`,
          called.map(({ detail }) => (detail as Called).message.type),
          [`conformance.${name}.v3`],
        );
      }
      const before = env.events(undefined, "called").length;
      const bytes = env.tap.bytes("dialler");
      const disjoint = await env.within(
        "the refusal here",
        env.calls.error("a client of disjoint versions", disjointClient(connection)),
      );
      env.caller.equal("the code here", disjoint.code, "failed_precondition");
      env.caller.equal("both ranges here", ranges(disjoint), { spoken: [1], answered: [2, 3, 4, 5] });
      env.wire.equal("bytes sent by a client of disjoint versions", env.tap.bytes("dialler") - bytes, 0);
      env.handler.equal(
        "calls dispatched for a client of disjoint versions",
        env.events(undefined, "called").length,
        before,
      );
      const opener = env.calls.opener("request", "newer", {
        data: "old",
        attributes: { type: "conformance.newer.v1" },
      });
      const made = env.calls.send(connection, opener);
      const there = await env.within(
        "the refusal there",
        env.calls.error("a call of a version that is gone", made.reply),
      );
      env.caller.equal("the code there", there.code, "failed_precondition");
      const told = JSON.stringify([there.message, there.details]);
      env.caller.ok(
        "both ranges there",
        /\b1\b/.test(told) && [2, 3, 4, 5].every((n) => told.includes(String(n))),
        told,
      );
      env.handler.equal("runs of a version that is gone", env.events(made.id, "returned").length, 0);
    },
  },
  {
    id: "HS-03",
    group: "HS",
    level: "must",
    title:
      "A call before the handshake, or a second hello, is a protocol error: never dispatched, and the connection ends without touching others.",
    needs: { ...requests, frames: true, connection: true },
    mutants: ["forgives-disorder"],
    async run(env) {
      const other = await env.connect();
      await env.sentinel(other);
      const early = { ...env.calls.opener("request", "echo", { data: "early" }), call: 1 };
      let first = true;
      env.tap.rewrite((frame, from) => {
        if (from !== "dialler" || !first) return undefined;
        first = false;
        return [JSON.stringify(early), frame.replace('"call":1', '"call":3')];
      });
      const refused = await env.within(
        "the refusal",
        env.calls.error("connect() with a call before hello", env.dial()),
      );
      env.caller.equal("the code for a call before hello", refused.code, "invalid_argument");
      let hello = "";
      env.tap.rewrite((frame, from) => {
        if (from !== "dialler") return undefined;
        if (hello === "" && frame.includes('"parley.hello.v1"')) hello = frame;
        return frame.includes('"again"')
          ? [hello.replace('"call":1', '"call":1001').replace(/"id":"[^"]+"/, '"id":"second-hello"'), frame]
          : undefined;
      });
      const twice = await env.connect();
      const made = env.calls.make(twice, "request", "echo", { data: "again" });
      await env.within("the end of the call", env.calls.error("a call behind a second hello", made.reply));
      const reason = await env.within("the end of the connection", twice.closed);
      env.caller.equal("the code for a second hello", reason?.code, "invalid_argument");
      env.tap.rewrite(undefined);
      await env.sentinel(other);
      env.handler.equal(
        "dispatches of what was out of order",
        env.events(early.id).length + env.events(made.id).length,
        0,
      );
      env.wire.ok("the forged frames to have been sent", env.tap.connections >= 3);
    },
  },
  {
    id: "HS-04",
    group: "HS",
    level: "must",
    title:
      "A peer that accepts the connection and never speaks is given up after the connect timeout, at most 10 % late.",
    needs: {},
    mutants: ["waits-for-ever"],
    async run(env) {
      const connectTimeoutMs = 500 * env.scale;
      await env.url();
      env.tap.hold("listener");
      const stalls = watchStalls();
      const start = performance.now();
      const error = await env.within(
        "the end of connect()",
        env.calls.error("connect() to a silent peer", env.dial({ connectTimeoutMs })),
        2 * env.t,
      );
      const took = performance.now() - start;
      const latest = Math.ceil(1.1 * connectTimeoutMs + stalls());
      env.caller.equal("the code", error.code, "deadline_exceeded");
      env.caller.ok(
        `an end between ${connectTimeoutMs} and ${latest} ms`,
        took >= connectTimeoutMs - 1 && took <= latest,
        took,
      );
      env.wire.ok("the dialler to have spoken", env.tap.bytes("dialler") > 0);
      env.handler.equal("calls that were dispatched", env.events(undefined, "called").length, 0);
      env.tap.cut("rst");
      env.tap.release("listener");
    },
  },
  {
    id: "HS-05",
    group: "HS",
    level: "must",
    title:
      "Whatever else answers at the port (a web page, SSH, TLS, noise, a closed door) is a typed error within T; and noise at our port harms nobody.",
    needs: {},
    mutants: ["hangs-on-strangers"],
    limit: 20,
    async run(env) {
      for await (const { name, dial, met } of strangers(env)) {
        const error = await env.within(
          `the end of connect() to ${name}`,
          env.calls.error(`connect() to ${name}`, dial()),
        );
        env.caller.ok(`${name} to be told apart from a lack of time`, error.code !== "deadline_exceeded", error.code);
        env.caller.equal(`the outcome with ${name}`, error.outcome, "not-sent");
        env.wire.ok(`${name} to have been met`, met());
      }
      await garbageAtListener(env);
      env.processes.equal("the end of the serving process", env.serving.exited, undefined);
      const connection = await env.connect();
      if (env.manifest.kinds.request !== "none") await env.sentinel(connection);
    },
  },
];

/** Another limit in the place of the one that a side tells: in its hello, and where there is a broker in the credit of each opener. */
function shrink(frame: string, from: number, to: number): readonly string[] | undefined {
  const changed = frame
    .replace(`"maxMessageBytes":${from}`, `"maxMessageBytes":${to},"futurelimit":{"x":[1]}`)
    .replace(new RegExp(`("credit":"\\d+:\\d+:\\d+):${from}(?=[:"])`), `$1:${to}`);
  return changed === frame ? undefined : [changed];
}

async function disjointClient(connection: Connection): Promise<unknown> {
  const disjoint = contract("conformance", { newer: request({ input: anything, output: anything }) });
  return client(disjoint, connection.call, { operations: connection.hello.operations });
}

function ranges({ details }: ParleyError): unknown {
  const { mismatches } = details as { mismatches?: readonly { spoken: unknown; answered: unknown }[] };
  return { spoken: mismatches?.[0]?.spoken, answered: mismatches?.[0]?.answered };
}
