import { ParleyError } from "../../call/error.ts";
import { Numbers } from "./numbers.ts";

/** How far a side goes to make cuts pass unnoticed. */
export interface ResumeOptions {
  /** How long a session waits for its peer to be back, ms; the smaller of both sides' counts. @default 30_000 */
  readonly windowMs?: number | undefined;
  /** Messages that may be sent and not yet acknowledged; openers, items and notifications then wait. @default 1_024 */
  readonly messages?: number | undefined;
  /** The same in UTF-16 code units (of frames that are bytes, bytes). @default 1 MiB */
  readonly bytes?: number | undefined;
  /** The peer acknowledges at the latest so many messages. @default 64 */
  readonly ackEvery?: number | undefined;
  /** Messages are counted modulo this: more than twice as many as are ever under way. Both sides have the same. @default 2^31 */
  readonly modulus?: number | undefined;
}

/** What one side of a session bears, and asks of the other. */
export interface ResumeTerms {
  readonly windowMs: number;
  readonly messages: number;
  readonly bytes: number;
  readonly ackEvery: number;
}

/** What a side that dials sets out from. */
export interface ResumeSetting extends ResumeTerms {
  readonly numbers: Numbers;
}

/** The answer to whoever wanted a session. */
export interface ResumeAnswer extends ResumeTerms {
  /** Why the session that was to be resumed is not. */
  readonly reason?: string | undefined;
}

/** When this side acknowledges. */
export interface AckTerms {
  readonly messages: number;
  readonly chars: number;
}

const ACK_CHARS = 64 * 1024;

/**
 * Completes the options.
 * @throws ParleyError `invalid_argument` for a number that makes no sense
 */
export function resumeSetting({ modulus, ...options }: ResumeOptions = {}): ResumeSetting {
  const { windowMs = 30_000, messages = 1_024, bytes = 1024 * 1024, ackEvery = 64 } = options;
  const terms: ResumeTerms = { windowMs, messages, bytes, ackEvery };
  for (const [name, value] of Object.entries({ ...terms, ...(modulus === undefined ? {} : { modulus }) })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new ParleyError("invalid_argument", `${name} of a session must be a positive number, and is ${value}`, {
      outcome: "not-sent",
    });
  }
  return { ...terms, numbers: new Numbers(modulus) };
}

/** As hello says it. */
export function resumeData({ windowMs, messages, bytes, ackEvery }: ResumeTerms): object {
  return { windowms: windowMs, messages, bytes, ackevery: ackEvery };
}

/** The answer's part of hello. @param resumed absent when there was nothing to resume */
export function answerData(terms: ResumeTerms, resumed: boolean | undefined, reason: string | undefined): object {
  return { ...resumeData(terms), resumed, reason };
}

/** Reads what the peer says in hello; undefined where it makes no sense, or the peer wants no session. */
export function readResume(data: unknown): ResumeAnswer | undefined {
  const resume = (data as { readonly resume?: Record<string, unknown> } | null | undefined)?.resume;
  if (typeof resume !== "object" || resume === null) return undefined;
  const { windowms, messages, bytes, ackevery, reason } = resume;
  if (!isCount(windowms) || !isCount(messages) || !isCount(bytes) || !isCount(ackevery)) return undefined;
  const terms = { windowMs: windowms, messages, bytes, ackEvery: ackevery };
  return typeof reason === "string" ? { ...terms, reason: reason.slice(0, 256) } : terms;
}

/** A peer whose ring is small hears of its messages soon enough for it never to be full of what has arrived. */
export function ackTerms(peer: ResumeTerms): AckTerms {
  return {
    messages: Math.max(1, Math.min(peer.ackEvery, Math.floor(peer.messages / 4))),
    chars: Math.max(1, Math.min(ACK_CHARS, Math.floor(peer.bytes / 4))),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
