import type { Socket } from "node:net";
import { cancelled, type ParleyError, TransportError } from "@parley/core/transport";
import { type IClientOptions, type IConnackPacket, MqttClient, type Packet, UniqueMessageIdProvider } from "mqtt";
import { Inlet } from "./inlet.ts";
import { Link } from "./link.ts";
import { timedOut } from "./link-error.ts";
import { CLOSE_TIMEOUT_MS, type LinkInit, type Server } from "./link-init.ts";
import type { Qos } from "./options.ts";
import { isVersionRefusal, refusedConnect } from "./reason.ts";
import { openSocket, socketError, turnedAway } from "./socket.ts";

/** Room in a packet that arrives for all but the message: topic, properties, header. */
const PACKET_OVERHEAD = 64 * 1024;

/**
 * Opens one connection to a broker.
 * @throws ParleyError `unavailable`, `deadline_exceeded`, `unauthenticated`, `permission_denied`, `cancelled`, `failed_precondition` for a
 * version that the broker refuses; nothing stays open then
 */
export function openLink(init: LinkInit): Promise<Link> {
  const { url, signal, runtime, connectTimeoutMs, session } = init;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal.reason, "not-sent"));
    const clean = session?.startsClean(init.version) ?? true;
    let socket: Socket;
    try {
      socket = openSocket(url, init.tls);
    } catch (cause) {
      return reject(socketError(url, cause as Error)); // what node:tls throws for certificates that it cannot read
    }
    const settled = (): void => {
      cancelTimer();
      signal?.removeEventListener("abort", abort);
    };
    const fail = (error: ParleyError): void => {
      settled();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(cancelled(signal?.reason, "not-sent"));
    const cancelTimer = runtime.setTimer(() => fail(timedOut(url, connectTimeoutMs)), Math.max(0, connectTimeoutMs));
    signal?.addEventListener("abort", abort);
    // Stays for good: a socket without a listener for its errors would end the process.
    socket.on("error", (error) => fail(socketError(url, error)));
    socket.once("close", () => fail(turnedAway(url)));
    const inlet = createInlet(socket, init);
    const ids = new UniqueMessageIdProvider();
    const client = createClient(socket, init, { clean, messageIdProvider: ids });
    client.on("packetreceive", (packet: Packet) => {
      inlet.read();
      if (!session || packet.cmd !== "connack" || (packet.reasonCode ?? packet.returnCode) !== 0) return;
      session.begin(packet.sessionPresent);
      client.incomingStore = session.incoming;
    });
    client.on("error", (error) => {
      const { code } = error as { code?: unknown };
      if (typeof code === "number") fail(refusedConnect(url.host, code, init.username));
      else if (!socket.destroyed) fail(socketError(url, error as Error & { readonly code?: string }));
    });
    client.once("connect", (connack: IConnackPacket) => {
      settled();
      resolve(new Link({ client, ids, socket, inlet, server: serverOf(connack, init.version), init }));
    });
  });
}

/**
 * Opens a link of MQTT 5, and if the broker refuses that and the user has not chosen it, one of 3.1.1.
 * @throws ParleyError as {@link openLink}
 */
export async function openEither(init: LinkInit, chosen: 4 | 5 | undefined): Promise<Link> {
  try {
    return await openLink(init);
  } catch (error) {
    if (chosen !== undefined || !isVersionRefusal(error)) throw error;
    return openLink({ ...init, version: 4 });
  }
}

/** What the library reads of the socket is what the inlet leaves it. */
function createInlet(socket: Socket, { version, maxMessageBytes }: LinkInit): Inlet {
  let reader: NodeJS.WritableStream | undefined;
  const inlet = new Inlet({
    version,
    maxPacketBytes: maxMessageBytes + PACKET_OVERHEAD,
    rest(bytes) {
      if (reader?.write(bytes) !== false || socket.isPaused()) return;
      socket.pause();
      reader.once("drain", () => socket.resume());
    },
  });
  socket.pipe = (library) => {
    reader = library;
    return library;
  };
  socket.on("data", (chunk: Buffer) => {
    const wrong = inlet.take(chunk);
    if (wrong !== undefined) socket.destroy(new TransportError("unavailable", wrong));
  });
  return inlet;
}

function createClient(
  socket: Socket,
  init: LinkInit,
  own: Pick<IClientOptions, "clean" | "messageIdProvider">,
): MqttClient {
  const { version, clientId, username, password, keepaliveSeconds, will, connectTimeoutMs } = init;
  const options: IClientOptions = {
    ...own,
    protocolVersion: version,
    clientId,
    keepalive: keepaliveSeconds,
    // A link that was lost is over: what it left open is known here, and sent again by nobody.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // This side's own timer counts.
    connectTimeout: connectTimeoutMs + CLOSE_TIMEOUT_MS,
    log: ignore,
    // MQTT 3.1.1 has no password without a user (3.1.2.9), and the library none at all: a token alone is that of an empty name.
    ...(username === undefined && password === undefined ? {} : { username: username ?? "" }),
    ...(password === undefined ? {} : { password }),
    ...(will ? { will } : {}),
    ...(version === 5 ? { properties: connectProperties(init) } : {}),
  };
  // The library's type of streams is that of another copy of Node's.
  return new MqttClient(() => socket as unknown as ReturnType<ConstructorParameters<typeof MqttClient>[0]>, options);
}

function connectProperties({ maxMessageBytes, session, receiveMaximum }: LinkInit): IClientOptions["properties"] {
  return {
    maximumPacketSize: maxMessageBytes + PACKET_OVERHEAD,
    ...(session && session.expirySeconds > 0 ? { sessionExpiryInterval: session.expirySeconds } : {}),
    ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
  };
}

function serverOf(connack: IConnackPacket, version: 4 | 5): Server & { readonly receiveMaximum: number } {
  // Absent means "without limit" or "can" (MQTT 5, 3.2.2.3).
  const said = (connack.properties ?? {}) as Record<string, number | boolean | undefined>;
  const can = (name: string): boolean => said[name] !== false && said[name] !== 0;
  return {
    version,
    sessionPresent: connack.sessionPresent,
    maximumQoS: (said["maximumQoS"] ?? 2) as Qos,
    retains: can("retainAvailable"),
    shares: can("sharedSubscriptionAvailable"),
    wildcards: can("wildcardSubscriptionAvailable"),
    subscriptionIds: version === 5 && can("subscriptionIdentifiersAvailable"),
    maximumPacketBytes: (said["maximumPacketSize"] as number | undefined) ?? Number.POSITIVE_INFINITY,
    receiveMaximum: (said["receiveMaximum"] as number | undefined) ?? 65_535,
  };
}

function ignore(): void {}
