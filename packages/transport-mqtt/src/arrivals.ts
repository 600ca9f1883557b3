import {
  type Arrival,
  createEnvelope,
  type Envelope,
  ParleyError,
  PROFILE,
  type Runtime,
  readUnread,
  toParleyError,
  type Unread,
} from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import { checkResponseTopic, isReserved, lastLevel, ownerOf, readCallTopic } from "./layout.ts";
import { type Content, readPayload } from "./payload.ts";
import { plainInbox } from "./plain-inbox.ts";

/** Source of messages whose senders do not say who they are. */
const ANONYMOUS = "/anonymous";
/** Type of what comes to a topic from somebody who names none. */
const FOREIGN = "foreign";
/** Id of what has none that can be read; who asked without an event is told none. */
const UNREAD = "unread";
/** Longest correlation data of a foreign requester that is given back, bytes. */
const MAX_CORRELATION_BYTES = 256;

/** What arrivals are made with. */
export interface ArrivalInit {
  readonly runtime: Runtime;
  /** Whether the sender's level in a topic can be trusted. */
  readonly enforcedSenders: boolean;
}

/** Reads messages for one process. Each throws a ParleyError for what is to be counted and dropped. */
export interface Arrivals {
  /** What came to the inbox. */
  inbox(topic: string, payload: Buffer, packet: IPublishPacket): Arrival;
  /** What came to an agent: to one replica, or to all. */
  agent(agent: string, topic: string, payload: Buffer, packet: IPublishPacket): Arrival;
  /**
   * What can be read of a message that one of the two has refused, with where its answer may go. Never throws.
   * @param agent absent for what came to the inbox
   */
  unread(agent: string | undefined, topic: string, payload: Buffer, packet: IPublishPacket): Unread | undefined;
  /** What came to a topic of the user's; nothing for what is Parley's own. */
  topic(topic: string, payload: Buffer, packet: IPublishPacket): Arrival | undefined;
}

/** Prepares reading. */
export function arrivals({ runtime, enforcedSenders }: ArrivalInit): Arrivals {
  const arrival = (message: Envelope, payload: Buffer, packet: IPublishPacket, sender?: string): Arrival => {
    const seconds = packet.properties?.messageExpiryInterval;
    return {
      message,
      bytes: payload.length,
      from: sender,
      principal: enforcedSenders ? sender : undefined,
      expiresInMs: typeof seconds === "number" ? seconds * 1_000 : undefined,
      retained: packet.retain || undefined,
    };
  };
  const foreign = (made: Arrival): Arrival => ({ ...made, foreign: true });

  return {
    inbox(topic, payload, packet) {
      refuseRetained(packet);
      const content = readPayload(payload, packet.properties);
      if (!("event" in content)) return foreign(arrival(foreignReply(content, packet), payload, packet));
      const { event } = content;
      // A program without Parley answers to the response topic as it stands, without its own name.
      const sender = ownerOf(topic) === undefined ? lastLevel(topic) : undefined;
      checkReplyTo(event, sender);
      return arrival(event, payload, packet, sender);
    },

    agent(agent, topic, payload, packet) {
      refuseRetained(packet);
      const named = readCallTopic(topic, agent);
      const sender = named?.sender ?? lastLevel(topic);
      const content = readPayload(payload, packet.properties);
      if ("event" in content && content.event.parley !== undefined) {
        const { event } = content;
        if (named && event.type !== named.type)
          throw mismatch(`the topic says ${named.type}, and the event's type is ${event.type}`);
        checkCopies(event, packet);
        checkReplyTo(event, sender);
        return arrival(event, payload, packet, sender);
      }
      if (!named) throw mismatch("what concerns all replicas of an agent is an event of Parley");
      const message =
        "event" in content ? foreignEvent(content.event, packet) : foreignCall(named.type, content, packet);
      const made = arrival(message, payload, packet, sender);
      return "event" in content ? made : foreign(made);
    },

    unread(agent, topic, payload, packet) {
      if (packet.retain) return undefined;
      const named = agent === undefined ? undefined : readCallTopic(topic, agent);
      const sender = named?.sender ?? (ownerOf(topic) === undefined ? lastLevel(topic) : undefined);
      const unread = readUnread(payload.toString("utf8"));
      try {
        if (unread && (unread.replyto !== undefined || !named)) {
          checkReplyTo(unread, sender);
          return unread;
        }
        const replyto = named && answerTo(packet, unread ? "event" : "plain");
        return replyto === undefined ? undefined : { id: unread?.id ?? UNREAD, type: named?.type ?? FOREIGN, replyto };
      } catch {
        return undefined;
      }
    },

    topic(topic, payload, packet) {
      if (isReserved(topic)) return undefined;
      const content = readPayload(payload, packet.properties);
      if (!("event" in content)) {
        const init = {
          kind: "publish",
          type: FOREIGN,
          source: ANONYMOUS,
          subject: topic,
          ...defined(content),
        } as const;
        return foreign(arrival(createEnvelope(init, runtime), payload, packet));
      }
      const { event } = content;
      if (event.parley === undefined) return arrival({ ...event, subject: topic }, payload, packet);
      if (event.kind !== "publish") return undefined;
      if (event.subject !== topic) throw mismatch(`the topic is ${topic}, and the event's subject ${event.subject}`);
      return arrival(event, payload, packet);
    },
  };

  function foreignCall(type: string, content: Exclude<Content, { event: Envelope }>, packet: IPublishPacket): Envelope {
    const replyto = answerTo(packet, "plain");
    const kind = replyto === undefined ? "notify" : "request";
    return createEnvelope({ kind, type, source: ANONYMOUS, ...defined({ replyto }), ...defined(content) }, runtime);
  }

  function foreignEvent(event: Envelope, packet: IPublishPacket): Envelope {
    const replyto = answerTo(packet, "event");
    const kind = event.kind ?? (replyto === undefined ? "notify" : "request");
    const { replyto: _claimed, ...own } = event;
    return { ...own, kind, ...defined({ replyto }) };
  }
}

/** An answer of a program without Parley, which gives back the correlation data. */
function foreignReply(content: Exclude<Content, { event: Envelope }>, { properties }: IPublishPacket): Envelope {
  const opener = properties?.correlationData?.toString("latin1") ?? "";
  if (!/^[!#$&-[\]-~]{1,128}$/.test(opener)) throw mismatch("an answer without an event has no correlation data");
  return {
    specversion: "1.0",
    parley: PROFILE,
    id: `${opener}.r`,
    source: ANONYMOUS,
    type: FOREIGN,
    kind: "reply",
    inreplyto: opener,
    ...defined(content),
  };
}

/** Where a foreign requester wants its answer. @throws ParleyError when nothing may be sent there */
function answerTo({ properties }: IPublishPacket, mode: "plain" | "event"): string | undefined {
  const { responseTopic, correlationData } = properties ?? {};
  if (responseTopic === undefined) return undefined;
  if (correlationData && correlationData.length > MAX_CORRELATION_BYTES)
    throw mismatch(`the correlation data has more than ${MAX_CORRELATION_BYTES} bytes`);
  return plainInbox({ mode, topic: checkResponseTopic(responseTopic), correlationData });
}

/** What is copied to MQTT's own places must be what the event says: nobody on the way reads one and the peer the other. */
function checkCopies({ id, replyto }: Envelope, { properties }: IPublishPacket): void {
  const { responseTopic, correlationData } = properties ?? {};
  if (responseTopic !== undefined && responseTopic !== replyto)
    throw mismatch("the response topic is not the event's replyto");
  if (correlationData && correlationData.toString("latin1") !== id)
    throw mismatch("the correlation data is not the event's id");
}

/** Answers go to an inbox of the sender's, and nowhere else. */
function checkReplyTo({ replyto }: Pick<Envelope, "replyto">, sender: string | undefined): void {
  if (replyto === undefined) return;
  const owner = ownerOf(replyto);
  if (owner === undefined || (sender !== undefined && owner !== sender))
    throw mismatch("replyto is no inbox of the sender's");
}

/** A stored call would come again to everyone who subscribes. */
function refuseRetained({ retain }: IPublishPacket): void {
  if (retain) throw mismatch("calls and what follows them are not retained");
}

function defined(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

function mismatch(message: string): ParleyError {
  return new ParleyError("invalid_argument", `a message was refused: ${message}`);
}

/** Reads, or tells why not. */
export function reading<Read>(read: () => Read, refused: (error: ParleyError) => void): Read | undefined {
  try {
    return read();
  } catch (thrown) {
    refused(toParleyError(thrown));
    return undefined;
  }
}
