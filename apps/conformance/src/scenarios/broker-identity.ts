import type { Connection } from "@parley/core/transport";
import { type Door, users } from "../brokers/secured-place.ts";
import type { Environment } from "../environment.ts";
import type { Called, Guard } from "../serving/control.ts";
import type { Tuning } from "../subject.ts";
import { quick } from "./back.ts";
import { nothingOpen } from "./expect.ts";
import { everything, refusal } from "./refused-calls.ts";
import { type BrokerStage, onBrokerStage } from "./secured-broker.ts";
import { attempt, publish, subscribe } from "./subscriber.ts";

const { alice, carol } = users;

/** AUTH-01 at a broker: whom it does not know gets no further than its door, whether or not anybody serves behind it. */
export async function strangersAtBroker(env: Environment): Promise<void> {
  await onBrokerStage(env, async (stage) => {
    const { place, by, withPassword, withCertificate } = stage;
    const { known, stranger } = place;
    await place.broker.shutOut(carol);
    const callers: readonly (readonly [string, Door, Tuning])[] = [
      ["neither name nor password", "password", {}],
      ["a name and no password", "password", { user: alice }],
      ["a wrong password", "password", { ...withPassword(alice), password: env.random.hex(24) }],
      ["a name that nobody has", "password", { ...withPassword(alice), user: "urn:agent:nobody" }],
      ["a password that ran out", "password", withPassword(carol)],
      ["no certificate", "certificate", { user: alice }],
      ["a stranger's certificate", "certificate", { user: alice, tls: stranger.issue({ names: [alice] }) }],
      [
        "a certificate that ran out",
        "certificate",
        { user: alice, tls: known.issue({ names: [alice], expired: true }) },
      ],
    ];
    for (const [what, door, who] of callers) {
      const { url, tuning } = by(door, who);
      const nobodys = Object.assign(new URL(url), { pathname: "/conformance/nobody" });
      const said: unknown[] = [];
      for (const to of [url, nobodys]) {
        const dialling = env.calls.error(`to connect with ${what}`, env.dial({ url: to, tuning }));
        const { code, outcome, message, details } = await env.within(`the refusal of ${what}`, dialling);
        env.caller.equal(`how ${what} is refused`, [code, outcome], ["unauthenticated", "not-sent"]);
        said.push([message, details]);
      }
      env.caller.equal(`what is said of an agent that nobody serves, with ${what}`, said[1], said[0]);
    }
    env.handler.equal("what ran of it", env.events(undefined, "called").length, 0);
    for (const [door, who] of [
      ["password", withPassword(alice)],
      ["certificate", withCertificate(alice)],
    ] as const)
      await env.sentinel(await env.within("connect()", stage.dial(door, who)));
    const principals = env.events(undefined, "called").map(({ detail }) => (detail as Called).principal);
    env.handler.equal("who called then", principals, [alice, alice]);
  });
}

/**
 * AUTH-02 at a broker: it ends the connection of whom it lets in no more, and the connection does not come back. MQTT 5 could ask anew on an open
 * connection (4.12), which Mosquitto leaves to plugins.
 */
export async function outOfTimeAtBroker(env: Environment): Promise<void> {
  await onBrokerStage(env, async (stage) => {
    const { place, by, withPassword, dial } = stage;
    const first = { user: carol, password: env.random.hex(24) };
    await place.broker.renew(carol, first.password);
    const { connection, changes } = await env.lasting({ ...by("password", first), reconnect: quick(env) });
    const hers = await subscribe(env, connection, "open/a");
    await publish(env, connection, "open/a", "before");
    await hers.saw("before");
    await env.sentinel(connection);
    await place.broker.shutOut(carol);
    const end = await env.within("the end of the connection", connection.closed, 2 * env.t);
    env.caller.equal("how a connection ends whose credential has run out", end?.code, "unauthenticated");
    env.caller.equal(
      "its states",
      changes.map(({ state }) => state),
      ["reconnecting", "closed"],
    );
    for (const [call, error] of await everything(env, connection, "open/a"))
      env.caller.equal(`whether a ${call} after that was sent`, error?.outcome, "not-sent");
    const late = env.calls.error("to connect with a credential that ran out", env.dial(by("password", first)));
    env.caller.equal("how that ends", (await env.within("that", late)).code, "unauthenticated");
    env.handler.equal("what ran of it", env.events(undefined, "called").length, 1);
    const other = await env.within("connect()", dial("password", withPassword(alice)));
    await publish(env, other, "open/a", "after");
    const again = { user: carol, password: env.random.hex(24) };
    await place.broker.renew(carol, again.password);
    const back = await env.within("connect()", dial("password", again));
    await env.sentinel(back);
    env.caller.equal("what came to her subscription", hers.received, ["before"]);
    env.caller.ok("the end of her subscription to be told", hers.ended instanceof Error, hers.ended);
    env.handler.equal("what ran in all", env.events(undefined, "called").length, 2);
    await nothingOpen(env, back);
  });
}

/** AUTH-03 at a broker: what it forbids it says, and what it permits the agent may still forbid. */
export async function forbiddenByBroker(env: Environment, guard: Guard): Promise<void> {
  const play = async ({ dial, withCertificate }: BrokerStage): Promise<void> => {
    const connection = await env.within("connect()", dial("certificate", withCertificate(alice)));
    // From now on calls leave without being acknowledged, those of what is hers at least.
    await env.sentinel(connection);
    const byWhom = new Map([
      // The agent's own guard, and the answer to SUBSCRIBE: both have seen it.
      ["request", "rejected"],
      ["subscribe", "rejected"],
    ]);
    const forbidden = [
      ...(await everything(env, connection, "closed/a", "nothing")),
      ...(await wider(env, connection)),
    ];
    for (const [call, error] of forbidden)
      env.caller.equal(
        `how a forbidden ${call} ends`,
        [error?.code, error?.outcome],
        ["permission_denied", byWhom.get(call) ?? "not-sent"],
      );
    const ran = env.events(undefined, "called").length;
    env.handler.equal("what ran of it", ran, 1);
    const listening = await subscribe(env, connection, "open/a");
    await env.within(
      "a refusal",
      env.calls.error("a publication", attempt(env, connection, "closed/a", "not hers").reply),
    );
    await publish(env, connection, "open/a", "hers");
    await listening.saw("hers");
    env.caller.equal("what came on the topic that is hers", listening.received, ["hers"]);
    await listening.unsubscribe();
    await env.sentinel(connection);
    await nothingOpen(env, connection);
  };
  await onBrokerStage(env, play, { guard });
}

/** Filters that take in what is hers, and more. */
async function wider(env: Environment, connection: Connection): ReturnType<typeof everything> {
  const filters = ["#", "+/a", "+/#"];
  return Promise.all(
    filters.map((subject) =>
      refusal(env, ["subscribe", env.calls.make(connection, "subscribe", "topics", { attributes: { subject } })]),
    ),
  );
}
