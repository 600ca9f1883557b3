import type { Call } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Handler } from "../call/interceptor.ts";
import { type CallKind, callKinds, type Envelope, PROFILE } from "../envelope/envelope.ts";
import { reply } from "../envelope/follow.ts";
import type { Limits } from "./manifest.ts";

/** Operation by which two Parleys get to know each other: an ordinary request, the first on a connection. */
export const HELLO = "parley.hello.v1";

/** Profiles of the envelope that this version of core speaks. */
export const profiles: readonly string[] = [PROFILE];

/** What one side of a hop says of itself. */
export interface Hop {
  readonly limits: Limits;
  /** Items that one event may hold (attribute `count`); 1 means no batches. */
  readonly batchItems: number;
  /** The longest it is silent, ms; the peer may take twice that for a lost connection. */
  readonly heartbeatMs: number;
}

/** An operation as an agent announces it. */
export interface AnnouncedOperation {
  readonly kind: CallKind;
  /** Major versions that are answered, ascending. */
  readonly versions: readonly number[];
}

/** What is known of a peer after the handshake. A foreign or bare peer leaves out what it does not know. */
export interface Hello extends Partial<Hop> {
  /** Name of the agent. */
  readonly name?: string;
  /** The profile both use. */
  readonly profile: string;
  /** By name without version, `text.summarize`. Absent: the peer did not say. */
  readonly operations?: Readonly<Record<string, AnnouncedOperation>>;
}

/** What a peer is taken to bear that does not say. */
export const silentHop: Hop = {
  limits: { maxMessageBytes: 1024 * 1024, maxCalls: 1024, windowItems: 256, windowBytes: 256 * 1024 },
  batchItems: 1,
  heartbeatMs: 15_000,
};

/** Who takes only shorter messages gets one item an event. */
export const MIN_BATCH_MESSAGE_BYTES: number = 64 * 1024;

/** A peer does not make this side beat faster. */
const MIN_HEARTBEAT_MS = 250;

/** What a peer bears: what it said, and little where it said nothing. */
export function peerHop({
  limits = silentHop.limits,
  batchItems = 1,
  heartbeatMs = silentHop.heartbeatMs,
}: Partial<Hop>): Hop {
  return {
    limits,
    heartbeatMs: Math.max(heartbeatMs, MIN_HEARTBEAT_MS),
    batchItems: limits.maxMessageBytes < MIN_BATCH_MESSAGE_BYTES ? 1 : batchItems,
  };
}

/** The data of our side of a handshake. */
export function helloData(hop: Hop): object {
  return { profiles, ...hop };
}

/**
 * Answers a handshake on behalf of a hop: chooses the profile, asks the handler who it is (an agent or a relay says; anything else
 * answers `unimplemented`, which is no obstacle), and puts the limits of this hop over what came from behind it.
 * @throws ParleyError `failed_precondition` with both ranges in `details` when no profile is common.
 */
export async function answerHello(
  call: Call,
  handler: Handler | undefined,
  hop: Hop,
  source: string,
): Promise<Envelope> {
  const profile = commonProfile(call.message.data);
  const described = await describe(call, handler);
  return reply(call.message, source, { ...described, profile, ...helloData(hop) });
}

async function describe(call: Call, handler: Handler | undefined): Promise<object> {
  if (!handler) return {};
  try {
    const { message } = await handler(call);
    return isRecord(message?.data) ? message.data : {};
  } catch (error) {
    if (error instanceof ParleyError && error.code === "unimplemented") return {};
    throw error;
  }
}

/**
 * Reads the peer's side of a handshake, leaving out what is absent or makes no sense.
 * @throws ParleyError `failed_precondition` with both ranges in `details` when no profile is common.
 */
export function readHello(data: unknown): Hello {
  const profile = commonProfile(data);
  if (!isRecord(data)) return { profile };
  const { name, operations, limits, batchItems, heartbeatMs } = data;
  return {
    profile,
    ...(typeof name === "string" ? { name } : {}),
    ...(isRecord(operations) ? { operations: readOperations(operations) } : {}),
    ...(isLimits(limits) ? { limits } : {}),
    ...(isCount(batchItems) ? { batchItems } : {}),
    ...(isCount(heartbeatMs) ? { heartbeatMs } : {}),
  };
}

/** The highest profile that both speak. A peer that names none is taken to speak the first. */
function commonProfile(data: unknown): string {
  const offered = isRecord(data) && Array.isArray(data["profiles"]) ? data["profiles"] : [PROFILE];
  const common = profiles.findLast((profile) => offered.includes(profile));
  if (common !== undefined) return common;
  throw new ParleyError(
    "failed_precondition",
    `no common version of the profile: the peer speaks ${offered.slice(0, 8).join(", ") || "none"}, this side ${profiles.join(", ")}; update the older of the two`,
    { outcome: "not-sent", details: { offered: offered.slice(0, 8), supported: profiles } },
  );
}

function readOperations(operations: Record<string, unknown>): Record<string, AnnouncedOperation> {
  return Object.fromEntries(
    Object.entries(operations).filter((entry): entry is [string, AnnouncedOperation] => isAnnounced(entry[1])),
  );
}

function isAnnounced(value: unknown): value is AnnouncedOperation {
  return (
    isRecord(value) &&
    callKinds.includes(value["kind"] as CallKind) &&
    Array.isArray(value["versions"]) &&
    value["versions"].every(isCount)
  );
}

function isLimits(value: unknown): value is Limits {
  return (
    isRecord(value) &&
    isCount(value["maxMessageBytes"]) &&
    isCount(value["maxCalls"]) &&
    isCount(value["windowItems"]) &&
    isCount(value["windowBytes"])
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
