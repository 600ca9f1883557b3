import { randomBytes } from "node:crypto";
import { HELLO } from "@parley/core/transport";
import { type Authority, authority, HERE } from "../tls/certificate.ts";
import type { BrokerKind, BrokerUser, SecuredBroker } from "./broker.ts";
import { MissingBroker } from "./place.ts";

/** Users of a broker that lets in only whom it knows. */
export const users = {
  /** Serves the fixture. */
  server: "urn:agent:server",
  alice: "urn:agent:alice",
  bob: "urn:agent:bob",
  /** Has a password for as long as a scenario wants it. */
  carol: "urn:agent:carol",
} as const;

/** Where one comes in: by password, by certificate, or where the broker's own certificate is not as it should be. */
export const doors = ["password", "certificate", "stranger", "elsewhere", "expired"] as const;

/** One of {@link doors}. */
export type Door = (typeof doors)[number];

/** A broker that lets in only whom it knows, for all scenarios of a wire. */
export interface SecuredPlace {
  readonly broker: SecuredBroker;
  /** Has signed for the broker, and for its users. */
  readonly known: Authority;
  readonly stranger: Authority;
  /** By user. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** Starts one. @throws MissingBroker when there is no program for it here */
export async function securedPlace(kind: BrokerKind | undefined): Promise<SecuredPlace> {
  if (!kind?.secured)
    throw new MissingBroker("a broker that knows its users is needed, and the suite has none to start");
  const [known, stranger] = [authority("an authority"), authority("another authority")];
  const passwords = Object.fromEntries(Object.values(users).map((name) => [name, randomBytes(12).toString("hex")]));
  const user = (name: string, more: Partial<BrokerUser>): BrokerUser => ({
    name,
    password: passwords[name] ?? "",
    ...more,
  });
  const broker = await kind.secured({
    doors: {
      password: { server: known.issue({ names: HERE }) },
      certificate: { server: known.issue({ names: HERE }), authority: known.cert },
      stranger: { server: stranger.issue({ names: HERE }) },
      elsewhere: { server: known.issue({ names: ["agents.example"] }) },
      expired: { server: known.issue({ names: HERE, expired: true }) },
    } satisfies Record<Door, unknown>,
    users: [
      user(users.server, { serves: true }),
      // What is left out here the broker forbids; of the rest the agent behind it may forbid more.
      user(users.alice, { calls: [HELLO, "conformance.echo.v1", "conformance.nothing.v1"], topics: "+/open/#" }),
      user(users.bob, { calls: [HELLO, "conformance.echo.v1", "conformance.repeat.v1"] }),
      user(users.carol, { calls: [HELLO, "conformance.echo.v1"], topics: "+/open/#" }),
    ],
  });
  return { broker, known, stranger, passwords };
}
