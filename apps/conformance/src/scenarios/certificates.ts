import type { Scenario } from "../scenario.ts";
import type { TlsTuning } from "../subject.ts";
import { HERE } from "../tls/certificate.ts";
import { certificatesAtBroker } from "./broker-certificates.ts";
import { ALICE, onSecureStage } from "./secure.ts";

/** AUTH: whose certificates are taken, and what is to be read on the wire. */
export const certificateScenarios: readonly Scenario[] = [
  {
    id: "AUTH-05",
    group: "AUTH",
    level: "must",
    title:
      "A server of an unknown authority, of another name or whose certificate ran out is refused, and so is a caller without a known certificate where one is wanted; a verified one is known to the handler, and nothing can be read on the wire.",
    needs: { kinds: ["request"], tls: true, serving: ["guard"] },
    mutants: ["trusts-every-certificate", "hides-who-calls", "trusts-every-broker", "hides-who-calls-by-brokers"],
    limit: 30,
    async run(env) {
      if (env.brokered) return certificatesAtBroker(env);
      await onSecureStage(env, async (stage) => {
        const { server, known, stranger, tap } = stage;
        const secret = `canary-${env.random.hex(24)}`;
        const mutual = { ...server, ca: known.cert, requestCert: true };
        const ca = { ca: known.cert };
        const refused: readonly (readonly [string, TlsTuning, TlsTuning])[] = [
          ["a server of an unknown authority", server, {}],
          ["a server of another authority", stranger.issue({ names: HERE }), ca],
          ["a server of another name", known.issue({ names: ["agents.example"] }), ca],
          ["a server whose certificate ran out", known.issue({ names: HERE, expired: true }), ca],
          ["a caller without a certificate", mutual, ca],
          ["a caller of another authority", mutual, { ...ca, ...stranger.issue({ names: [ALICE] }) }],
          ["a caller whose certificate ran out", mutual, { ...ca, ...known.issue({ names: [ALICE], expired: true }) }],
        ];
        for (const [what, listening, dialling] of refused) {
          const url = await stage.listen(listening);
          const dialled = stage.dial(url, dialling);
          const error = await env.within(`the refusal of ${what}`, env.calls.error(`to connect with ${what}`, dialled));
          env.caller.equal(`how ${what} is refused`, [error.code, error.outcome], ["unavailable", "not-sent"]);
        }
        for (const own of [{}, known.issue({ names: [ALICE] })]) {
          const url = await stage.listen("cert" in own ? mutual : server);
          const connection = await env.within("connect()", stage.dial(url, { ...ca, ...own }));
          const made = env.calls.make(connection, "request", "echo", { data: secret });
          const { message } = await env.within("an answer", made.reply);
          env.caller.equal("the answer", message?.data, secret);
          const { principal } = await env.called(made.id);
          env.handler.equal("who called", principal, "cert" in own ? ALICE : undefined);
        }
        for (const from of ["dialler", "listener"] as const) {
          env.wire.ok(`bytes of the ${from}`, tap.bytes(from) > secret.length, tap.bytes(from));
          env.wire.equal(`whether the ${from}'s words can be read`, tap.contains(from, secret), false);
          env.wire.equal(`whether the ${from}'s names can be read`, tap.contains(from, "conformance.echo"), false);
        }
        const plain = new URL(await stage.listen(server));
        plain.protocol = (await env.listen()).protocol;
        const error = await env.calls.error("to connect without TLS where there is TLS", env.dial({ url: plain }));
        env.caller.equal("how that ends", error.outcome, "not-sent");
      });
    },
  },
];
