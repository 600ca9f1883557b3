import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import type { TlsTuning } from "../subject.ts";
import { forbiddenByBroker, outOfTimeAtBroker, strangersAtBroker } from "./broker-identity.ts";
import { nothingOpen } from "./expect.ts";
import { everything, refusal } from "./refused-calls.ts";
import { ALICE, ALICE_AGAIN, onSecureStage, type SecureStage } from "./secure.ts";
import { publish, subscribe } from "./subscriber.ts";
import { strangersTokens, tokenRunsOut } from "./tokens.ts";

const guard = { operations: ["echo"], topics: "open/" };

/** AUTH: who calls, and what they may. */
export const identityScenarios: readonly Scenario[] = [
  {
    id: "AUTH-01",
    group: "AUTH",
    level: "must",
    title:
      "Whoever has no certificate or token, a stranger's or one that ran out is unauthenticated to a handler, or a broker, that asks for one: nothing runs, and what exists cannot be told from what does not.",
    needs: { kinds: ["request"], tls: true, serving: ["guard"] },
    mutants: ["takes-anybody-for-alice", "forgets-what-is-shown", "takes-strangers-for-an-outage"],
    async run(env) {
      if (env.brokered) return strangersAtBroker(env);
      await onSecureStage(env, async (stage) => {
        const { server, known, stranger } = stage;
        // Whether to turn callers away is left to the handler.
        const asking = { ...server, ca: known.cert, requestCert: true, rejectUnauthorized: false };
        const url = await stage.listen(asking, { guard });
        const callers: readonly (readonly [string, TlsTuning])[] = [
          ["no certificate", {}],
          ["a stranger's certificate", stranger.issue({ names: [ALICE] })],
          ["a certificate that ran out", known.issue({ names: [ALICE], expired: true })],
        ];
        for (const [what, own] of callers) {
          const connection = await env.within("connect()", stage.dial(url, { ca: known.cert, ...own }));
          const ends = await everything(env, connection, "open/a");
          for (const [call, error] of ends) {
            if (!error) continue;
            env.caller.equal(
              `the code of a ${call} with ${what}`,
              [error.code, error.outcome],
              ["unauthenticated", "rejected"],
            );
            const said = [error.message, error.details];
            env.caller.equal(`what a ${call} with ${what} is told`, said, [ends[0]?.[1]?.message, undefined]);
          }
        }
        env.handler.equal("what ran of it", env.events(undefined, "called").length, 0);
        const alice = await stage.dial(url, { ca: known.cert, ...known.issue({ names: [ALICE] }) });
        await env.sentinel(alice);
        env.handler.equal("what ran of hers", env.events(undefined, "called").length, 1);
      });
      if (env.tokens) await strangersTokens(env);
    },
  },
  {
    id: "AUTH-02",
    group: "AUTH",
    level: "must",
    title:
      "When a credential runs out while its connection is open, the next call of every kind is unauthenticated, or the connection, where a broker is its judge, and nothing runs under it; a new credential is let in, and where it can be had is asked for once.",
    needs: { kinds: ["request"], tls: true, serving: ["guard"] },
    mutants: ["checks-once", "never-shows-another", "comes-back-for-ever"],
    async run(env) {
      if (env.brokered) return outOfTimeAtBroker(env);
      await onSecureStage(env, async (stage) => {
        const { server, known } = stage;
        const operations = ["echo", "note", "count", "upload"];
        const ends = { principal: ALICE, gate: "auth2" };
        const mutual = { ...server, ca: known.cert, requestCert: true };
        const url = await stage.listen(mutual, { guard: { operations, topics: "open/", ends } });
        const as = (name: string): Promise<Connection> =>
          env.within("connect()", stage.dial(url, { ca: known.cert, ...known.issue({ names: [name] }) }));
        const before = await as(ALICE);
        await env.sentinel(before);
        const ran = env.events(undefined, "called").length;
        env.handler.equal("what ran while the credential was good", ran, 1);
        await env.serving.release(ends.gate);
        const refused = await everything(env, before, "open/a");
        // Comes after what nobody is told of.
        const last = ["request", env.calls.make(before, "request", "echo", { data: 2 })] as const;
        for (const [call, error] of [...refused, await refusal(env, last)])
          if (error)
            env.caller.equal(
              `how a ${call} ends whose credential has run out`,
              [error.code, error.outcome],
              ["unauthenticated", "rejected"],
            );
        env.handler.equal("what ran of it", env.events(undefined, "called").length, ran);
        const after = await as(ALICE_AGAIN);
        const made = env.calls.make(after, "request", "echo", { data: 3 });
        await env.within("an answer", env.calls.message(made));
        const { principal } = await env.called(made.id);
        env.handler.equal("who called then", principal, ALICE_AGAIN);
        env.handler.equal("what ran in all", env.events(undefined, "called").length, ran + 1);
        await nothingOpen(env, before);
        await nothingOpen(env, after);
      });
      if (env.tokens) await tokenRunsOut(env);
    },
  },
  {
    id: "AUTH-03",
    group: "AUTH",
    level: "must",
    title:
      "Who is known and calls, publishes or subscribes to what is not theirs is told permission_denied for each, and nothing comes of it.",
    needs: { kinds: ["request", "publish", "subscribe"], tls: true, serving: ["guard"] },
    mutants: ["resolves-what-is-forbidden", "resolves-what-brokers-forbid", "subscribes-to-what-is-forbidden"],
    async run(env) {
      if (env.brokered) return forbiddenByBroker(env, guard);
      await onSecureStage(env, async (stage) => {
        const alice = await aliceOn(env, stage);
        for (const [call, error] of await everything(env, alice, "closed/a", "nothing")) {
          const end = [error?.code, error?.outcome];
          env.caller.equal(`how a forbidden ${call} ends`, end, ["permission_denied", "rejected"]);
        }
        env.handler.equal("what ran of it", env.events(undefined, "called").length, 0);
        const listening = await subscribe(env, alice, "open/a");
        await publish(env, alice, "open/a", "hers");
        await listening.saw("hers");
        env.caller.equal("what came on the topic that is hers", listening.received, ["hers"]);
        await env.sentinel(alice);
        await listening.unsubscribe();
        await nothingOpen(env, alice);
      });
    },
  },
];

/** Her connection comes back after cuts, as those of users do: where that takes a session, it confirms what has no answer, too. */
async function aliceOn(env: Environment, stage: SecureStage): Promise<Connection> {
  const { server, known } = stage;
  const url = await stage.listen({ ...server, ca: known.cert, requestCert: true }, { guard });
  const tls = { ca: known.cert, ...known.issue({ names: [ALICE] }) };
  return (await env.within("connect()", env.lasting({ url, tuning: { tls } }))).connection;
}
