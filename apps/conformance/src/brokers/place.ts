import type { BrokerKind, RunningBroker } from "./broker.ts";

/** The broker that a wire is tested on. */
export interface BrokerPlace {
  readonly url: URL;
  /** Ends it if the suite has started it. */
  release(): Promise<void>;
}

/** What a wire needs is not here; the message says how to get it. */
export class MissingBroker extends Error {
  override readonly name = "MissingBroker";
}

/**
 * Finds the broker to test on: the one the user names; else one of the suite's own, which nobody else is at and whose settings are known; else the
 * one at its usual port; else one that can less.
 * @param asked where the user says that there is one.
 * @throws MissingBroker when there is none.
 */
export async function placeBroker(kind: BrokerKind, asked: URL | undefined): Promise<BrokerPlace> {
  if (asked) {
    if (await kind.answers(asked)) return { url: asked, release: async () => {} };
    throw new MissingBroker(`nothing that is ${kind.title} answers at ${asked.protocol}//${asked.host}`);
  }
  const usual = new URL(kind.usual);
  try {
    const own = await kind.start({});
    if (own) return started(own);
    if (await kind.answers(usual)) return { url: usual, release: async () => {} };
    const lesser = await kind.startLesser?.({});
    if (lesser) return started(lesser);
  } catch (error) {
    throw new MissingBroker(`${kind.title} does not start: ${(error as Error).message}`, { cause: error });
  }
  throw new MissingBroker(`it needs ${kind.title}: ${kind.help}`);
}

function started(own: RunningBroker): BrokerPlace {
  return { url: own.url, release: () => own.end("SIGTERM") };
}

/** A wire's address at a broker: what the broker's URL says of host, port and user, what the wire's says of the rest. */
export function addressAt(subject: URL, broker: URL): URL {
  const url = new URL(subject);
  url.hostname = broker.hostname;
  url.port = broker.port;
  url.username = broker.username;
  url.password = broker.password;
  return url;
}
