import type { Call } from "../call/call.ts";
import { TransportError, ValidationError } from "../call/error.ts";
import { attributeError } from "../envelope/attribute-error.ts";
import { attributeProblem } from "../envelope/attributes.ts";
import { timestamp } from "../envelope/create.ts";
import { type CallKind, type Envelope, hopAttributes, PROFILE } from "../envelope/envelope.ts";
import { newId } from "../envelope/id.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallOptions } from "./call-options.ts";

/** What is particular to one call's first message. */
export interface OpenerInit {
  readonly kind: CallKind;
  readonly type: string;
  readonly data: unknown;
  /** Topic or filter. */
  readonly subject?: string | undefined;
}

type Writable = { -readonly [Name in keyof Envelope]: Envelope[Name] };

/** Attributes that say what Parley knows better. */
const own: ReadonlySet<string> = new Set([
  ...hopAttributes,
  ...[
    "specversion",
    "parley",
    "id",
    "source",
    "type",
    "kind",
    "time",
    "subject",
    "data",
    "data_base64",
    "idempotencykey",
  ],
  ...["seq", "count", "inreplyto", "replyto"],
]);

/**
 * The first message of a call. One made while another is handled carries that one's flow, cause and trace.
 * @throws ValidationError `not-sent` for an attribute that is Parley's own, or that no message can have.
 */
export function createOpener(
  { kind, type, data, subject }: OpenerInit,
  source: string,
  runtime: Runtime,
  options: CallOptions | undefined,
  parent: Call | undefined,
): Envelope {
  const id = newId(runtime);
  const time = timestamp(runtime);
  const message: Writable =
    data === undefined
      ? { specversion: "1.0", parley: PROFILE, id, source, type, kind, time }
      : { specversion: "1.0", parley: PROFILE, id, source, type, kind, time, data };
  if (subject !== undefined) message.subject = subject;
  if (parent) follow(message, parent.message);
  if (options?.idempotencyKey !== undefined) addAttribute(message, "idempotencykey", options.idempotencyKey);
  if (options?.attributes) addAttributes(message, options.attributes);
  return message;
}

function follow(message: Writable, parent: Envelope): void {
  message.correlationid = parent.correlationid ?? parent.id;
  message.causationid = parent.id;
  if (parent.traceparent !== undefined) message.traceparent = parent.traceparent;
  if (parent.tracestate !== undefined) message.tracestate = parent.tracestate;
}

function addAttributes(message: Writable, attributes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (own.has(name))
      throw attributeError(name, value, "is written by Parley, or has an option of its own", "not-sent");
    addAttribute(message, name, value);
  }
}

function addAttribute(message: Writable, name: string, value: unknown): void {
  const problem = attributeProblem(name, value);
  if (problem !== undefined) throw attributeError(name, value, problem, "not-sent");
  message[name] = value;
}

/** The time that a call started while another is handled leaves that one to report. */
const PARENT_MARGIN_MS = 5;

/** Longest time that `timeoutms` can say. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The instant at which a call must be done: its own timeout from now, or a little before the deadline of the call being handled, whichever
 * is sooner.
 * @throws ParleyError `not-sent` when that has passed already, or the timeout is no number.
 */
export function deadlineFor(
  timeoutMs: number | undefined,
  parent: Call | undefined,
  runtime: Runtime,
): number | undefined {
  const latest = parent?.deadline === undefined ? undefined : parent.deadline - PARENT_MARGIN_MS;
  if (timeoutMs === undefined && latest === undefined) return undefined;
  const now = runtime.now();
  let deadline = latest ?? Number.POSITIVE_INFINITY;
  if (timeoutMs !== undefined) deadline = Math.min(deadline, now + checkTimeout(timeoutMs));
  if (deadline > now) return deadline;
  throw new TransportError("deadline_exceeded", "the deadline had passed before the call was made", {
    outcome: "not-sent",
  });
}

/** @throws ValidationError when it is no number of milliseconds. What is longer than 24 days is taken for that. */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs === "number" && !Number.isNaN(timeoutMs)) return Math.min(timeoutMs, MAX_TIMEOUT_MS);
  const why = "is no number of milliseconds";
  throw new ValidationError(`timeoutMs ${String(timeoutMs)} ${why}`, [{ message: why, path: ["timeoutMs"] }], {
    outcome: "not-sent",
  });
}
