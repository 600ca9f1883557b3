import { ParleyError } from "../call/error.ts";
import type { DialTransport } from "../transport/transport.ts";

/** A URL, and the transport that serves its scheme. */
export interface Endpoint<T extends DialTransport> {
  readonly url: URL;
  readonly transport: T;
}

/** Where the transports of the schemes are that Parley has one for. */
const packages: Readonly<Record<string, readonly [module: string, factory: string]>> = {
  memory: ["@parley/core", "memory"],
  ws: ["@parley/transport-ws", "ws"],
  wss: ["@parley/transport-ws", "ws"],
  http: ["@parley/transport-http", "http"],
  https: ["@parley/transport-http", "http"],
  sse: ["@parley/transport-sse", "sse"],
  sses: ["@parley/transport-sse", "sse"],
  grpc: ["@parley/transport-grpc", "grpc"],
  grpcs: ["@parley/transport-grpc", "grpc"],
  mqtt: ["@parley/transport-mqtt", "mqtt"],
  mqtts: ["@parley/transport-mqtt", "mqtt"],
  stdio: ["@parley/transport-stdio", "stdio"],
};

/**
 * Finds the transport for a URL by its scheme; of several, the first.
 * @throws ParleyError `invalid_argument`, `not-sent`: what is no URL, or a scheme that no transport serves, naming the package that does.
 */
export function findEndpoint<T extends DialTransport>(
  address: string | URL,
  transports: readonly T[] | undefined,
): Endpoint<T> {
  const url = readUrl(address);
  // Callers without types forget it.
  if (transports === undefined || !Array.isArray(transports))
    throw unfit(`the option transports is missing (${shown(url)}): ${advice(url.protocol.slice(0, -1), [])}`);
  const factory = transports.find((one: unknown) => typeof one === "function");
  if (factory) throw unfit(`transports holds a function where a transport belongs: call it, ${factory.name}()`);
  const scheme = url.protocol.slice(0, -1);
  const transport = transports.find(({ schemes }) => schemes.includes(scheme));
  if (transport) return { url, transport };
  throw unfit(`no transport serves ${url.protocol} (${shown(url)}): ${advice(scheme, transports)}`);
}

function readUrl(address: string | URL): URL {
  if (address instanceof URL) return address;
  // To the platform the host of "localhost:7070" is a scheme.
  if (URL.canParse(address) && !/^[\w.-]+:\d+(\/|$)/.test(address)) return new URL(address);
  throw unfit(`${quoted(address)} is no URL; write one with its scheme, such as ws://127.0.0.1:7070`);
}

function advice(scheme: string, transports: readonly DialTransport[]): string {
  if (Object.hasOwn(packages, scheme)) {
    const [module, factory] = packages[scheme] as readonly [string, string];
    const install = module === "@parley/core" ? "" : `install ${module} and `;
    const other = transports.length === 0 ? "" : `${served(transports)}; for this one `;
    return `${other}${install}pass { transports: [${factory}()] }, with ${factory} from ${module}`;
  }
  return transports.length === 0 ? "no transports were given" : served(transports);
}

function served(transports: readonly DialTransport[]): string {
  const given = transports.flatMap(({ name, schemes }) => schemes.map((one) => `${one}: (${name})`));
  return `the transports given serve ${given.join(", ")}`;
}

/** What was to be a URL, without what may be secret. */
function quoted(address: string): string {
  return JSON.stringify(String(address).replace(/\/\/[^/]*@/, "//"));
}

/** The URL without what may be secret. */
function shown({ protocol, host, pathname }: URL): string {
  return host === "" ? `${protocol}${pathname}` : `${protocol}//${host}${pathname}`;
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
