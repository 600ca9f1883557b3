import type { BrokerKind, FoundBroker, RunningBroker } from "./broker.ts";

/** The broker that a wire is tested on. */
export interface BrokerPlace {
  readonly url: URL;
  readonly broker: FoundBroker;
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
  const usual = new URL(kind.usual);
  if (asked) {
    if (asked.protocol !== usual.protocol) {
      throw new MissingBroker(
        `${asked.protocol}//${asked.host}: the suite listens in on the way to the broker, so name an address without TLS, as in ${usual.protocol}//${asked.hostname}`,
      );
    }
    if (await kind.answers(asked)) return met(kind, asked);
    throw new MissingBroker(`nothing that is ${kind.title} answers at ${asked.protocol}//${asked.host}`);
  }
  try {
    const own = await kind.start({});
    if (own) return started(kind, own);
    if (await kind.answers(usual)) return met(kind, usual);
    const lesser = await kind.startLesser?.({});
    if (lesser) return started(kind, lesser);
  } catch (error) {
    throw new MissingBroker(`${kind.title} does not start: ${(error as Error).message}`, { cause: error });
  }
  throw new MissingBroker(`it needs ${kind.title}: ${kind.help}`);
}

/** One that is not the suite's. */
async function met(kind: BrokerKind, url: URL): Promise<BrokerPlace> {
  const broker = (await kind.identify?.(url)) ?? { name: kind.title };
  return { url, broker, release: async () => {} };
}

async function started(kind: BrokerKind, own: RunningBroker): Promise<BrokerPlace> {
  const { program, version } = own;
  const broker = version === undefined ? await kind.identify?.(own.url) : { name: program, version };
  return { url: own.url, broker: broker ?? { name: program }, release: () => own.end("SIGTERM") };
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
