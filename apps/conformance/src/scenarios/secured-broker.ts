import type { Connection } from "@parley/core/transport";
import { addressAt } from "../brokers/place.ts";
import { type Door, doors, type SecuredPlace, users } from "../brokers/secured-place.ts";
import type { Environment } from "../environment.ts";
import type { LastingOptions } from "../environment-init.ts";
import type { ListenRequest } from "../serving/control.ts";
import type { Tuning } from "../subject.ts";
import type { Tap } from "../tap/tap.ts";
import { createTcpTap } from "../tap/tcp-tap.ts";

/** The fixture behind a broker that lets in only whom it knows, and what is heard on the wire. */
export interface BrokerStage {
  readonly place: SecuredPlace;
  /** Who comes in by a door, and how: with an address of the fixture's agent, behind the tap. */
  by(door: Door, who?: Tuning): Required<Pick<LastingOptions, "url" | "tuning">>;
  /** How a user shows who they are: with a password. */
  withPassword(user: string): Tuning;
  /** With a certificate. */
  withCertificate(user: string): Tuning;
  dial(door: Door, who?: Tuning): Promise<Connection>;
  readonly tap: Tap;
}

/** Sets the stage, and clears it away after the play. */
export async function onBrokerStage(
  env: Environment,
  play: (stage: BrokerStage) => Promise<void>,
  request: ListenRequest = {},
): Promise<void> {
  const place = await env.securedBroker();
  const { known, passwords, broker } = place;
  const tap = createTcpTap(env.history, undefined);
  const agent = new URL(env.secure ?? "");
  agent.pathname = `/conformance/${env.random.hex(12)}`;
  const addresses = new Map<Door, URL>();
  const by: BrokerStage["by"] = (door, who = {}) => {
    const url = addresses.get(door);
    if (!url) throw new Error(`there is no door ${door}`);
    return { url, tuning: { ...who, tls: { ca: known.cert, ...who.tls } } };
  };
  const withPassword: BrokerStage["withPassword"] = (user) => ({ user, password: passwords[user] });
  try {
    for (const door of doors) addresses.set(door, await tap.through(addressAt(agent, broker.door(door))));
    const { url, tuning } = by("password", withPassword(users.server));
    await env.listen({ ...request, url: url.href, tuning });
    await play({
      place,
      by,
      withPassword,
      withCertificate: (user) => ({ user, tls: known.issue({ names: [user] }) }),
      dial: (door, who) => env.dial(by(door, who)),
      tap,
    });
  } finally {
    await tap.close();
  }
}
