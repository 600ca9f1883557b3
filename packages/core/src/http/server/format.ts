import {
  type Envelope,
  encode,
  encodeData,
  end,
  errorEvent,
  type Opener,
  ParleyError,
  toParleyError,
} from "../../transport/index.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { statusOf } from "../wire/status.ts";
import { writeBinary, writeData } from "./binary.ts";
import { problemOf } from "./problem.ts";
import type { Answer } from "./response.ts";

/** How answers are written in one mode. */
export interface Format {
  /** Media type of a stream's answer. */
  readonly streamType: string;
  /** A sign of life in the answer of a stream. */
  readonly heartbeat: string;
  reply(message: Envelope): Answer;
  error(error: ParleyError, opener: Opener, source: string): Answer;
  /** An item of a stream as a line. */
  item(item: Envelope, seq: number): string;
  /** The event of several items as a line; absent where items are no events. */
  readonly line?: (event: string) => string;
  /** A message that is no item, in the answer of a stream. */
  event(message: Envelope): string;
  /** What follows the last item, if anything does. */
  end(opener: Opener, source: string, seq: number): string | undefined;
  /** What follows the last item of a stream that failed. */
  failure(error: ParleyError, opener: Opener, source: string, seq: number): string;
  /** Whether a stream that fails says so in a line of its own kind; otherwise it is cut, so that nobody takes it for whole. */
  readonly tellsFailure: boolean;
}

/**
 * Writes what a handler answered. What cannot be written is the handler's fault, and none of the caller's, who must not take it for
 * something that was never done.
 * @throws ParleyError `internal`
 */
export function sendable<Written>({ type }: Opener, write: () => Written): Written {
  try {
    return write();
  } catch (thrown) {
    const { message } = toParleyError(thrown);
    throw new ParleyError("internal", `what the handler of ${type} answered cannot be sent: ${message}`, {
      cause: thrown,
    });
  }
}

/** Every message an event. */
export const eventFormat: Format = {
  streamType: mediaTypes.events,
  heartbeat: "\n",
  tellsFailure: true,
  reply: (message) => ({ status: 200, headers: structuredHeaders, body: encode(message) }),
  error: (error, opener, source) => ({
    status: statusOf(error.code),
    headers: structuredHeaders,
    body: encode(errorEvent(opener, source, error)),
  }),
  item: (item, seq) => encode(item, { seq }),
  line: (event) => event,
  event: (message) => encode(message),
  end: (opener, source, seq) => encode(end(opener, source), { seq }),
  failure: (error, opener, source, seq) => encode(errorEvent(opener, source, error), { seq }),
};

/** Attributes in headers, data in the body; errors as problems, streams as lines of events, which have no such form. */
export const binaryFormat: Format = {
  ...eventFormat,
  reply: (message) => ({ status: 200, ...writeBinary(message) }),
  error: problem,
};

/** Data alone, for callers without CloudEvents. */
export const plainFormat: Format = {
  streamType: mediaTypes.lines,
  heartbeat: "\n",
  tellsFailure: false,
  reply({ data, datacontenttype }) {
    if (data === undefined) return { status: 204, headers: [], body: undefined };
    const body = writeData(data, datacontenttype);
    const type = datacontenttype ?? (typeof body === "string" ? mediaTypes.json : mediaTypes.bytes);
    return { status: 200, headers: ["Content-Type", type], body };
  },
  error: problem,
  item: ({ data }) => encodeData(data instanceof Uint8Array ? Buffer.from(data).toString("base64") : (data ?? null)),
  event: () => "",
  end: () => undefined,
  failure: (error) => problemOf(error, statusOf(error.code)),
};

const structuredHeaders: readonly string[] = ["Content-Type", mediaTypes.structured];

function problem(error: ParleyError): Answer {
  const status = statusOf(error.code);
  return { status, headers: ["Content-Type", mediaTypes.problem], body: problemOf(error, status) };
}
