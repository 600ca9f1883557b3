import { type Door, users } from "../brokers/secured-place.ts";
import type { Environment } from "../environment.ts";
import type { Tuning } from "../subject.ts";
import { onBrokerStage } from "./secured-broker.ts";

const { alice, bob } = users;

/** AUTH-05 at a broker: it stands where a server does. */
export async function certificatesAtBroker(env: Environment): Promise<void> {
  await onBrokerStage(env, async ({ place, by, dial, withPassword, withCertificate, tap }) => {
    const { known, stranger } = place;
    const secret = `canary-${env.random.hex(24)}`;
    const password = withPassword(alice);
    const unknown = { ...password, tls: { ca: stranger.cert } };
    const strange = { user: alice, tls: stranger.issue({ names: [alice] }) };
    const expired = { user: alice, tls: known.issue({ names: [alice], expired: true }) };
    const refused: readonly (readonly [string, Door, Tuning, string])[] = [
      ["a broker of an unknown authority", "password", unknown, "unavailable"],
      ["a broker of another authority", "stranger", password, "unavailable"],
      ["a broker of another name", "elsewhere", password, "unavailable"],
      ["a broker whose certificate ran out", "expired", password, "unavailable"],
      ["a caller without a certificate", "certificate", password, "unauthenticated"],
      ["a caller of another authority", "certificate", strange, "unauthenticated"],
      ["a caller whose certificate ran out", "certificate", expired, "unauthenticated"],
      // The broker knows its user by the certificate, whatever name is said.
      [
        "a caller with another's certificate",
        "certificate",
        { ...withCertificate(bob), user: alice },
        "permission_denied",
      ],
    ];
    for (const [what, door, who, code] of refused) {
      const dialled = env.calls.error(`to connect with ${what}`, dial(door, who));
      const error = await env.within(`the refusal of ${what}`, dialled);
      env.caller.equal(`how ${what} is refused`, [error.code, error.outcome], [code, "not-sent"]);
    }
    for (const [door, who] of [
      ["password", password],
      ["certificate", withCertificate(alice)],
    ] as const) {
      const connection = await env.within("connect()", dial(door, who));
      const made = env.calls.make(connection, "request", "echo", { data: secret });
      const { message } = await env.within("an answer", made.reply);
      env.caller.equal("the answer", message?.data, secret);
      env.handler.equal("who called", (await env.called(made.id)).principal, alice);
    }
    for (const from of ["dialler", "listener"] as const) {
      env.wire.ok(`bytes of the ${from}`, tap.bytes(from) > secret.length, tap.bytes(from));
      for (const text of [secret, password.password ?? "", "conformance.echo", "parley/inbox"])
        env.wire.equal(`whether ${text} can be read of the ${from}`, tap.contains(from, text), false);
    }
    const plain = new URL(by("password").url);
    plain.protocol = "mqtt:";
    const error = await env.calls.error("to connect without TLS where there is TLS", env.dial({ url: plain }));
    env.caller.equal("how that ends", error.outcome, "not-sent");
  });
}
