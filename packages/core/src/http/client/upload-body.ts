import type { Envelope, ParleyError, Runtime } from "../../transport/index.ts";

/** What the body of an upload is made from. */
export interface UploadInit {
  readonly input: AsyncIterable<Envelope>;
  readonly opener: Envelope;
  /** The opener as a line, without the newline. */
  readonly openerLine: string;
  readonly runtime: Runtime;
  /** Refuses a line that the peer would not take. @throws ParleyError */
  readonly checkSize: (line: string) => void;
  /** The caller's items threw. */
  readonly failed: (error: ParleyError) => void;
}

/** The caller's items on their way. */
export interface UploadBody {
  /** Nobody takes more: the items are told to return. */
  stop(): void;
}
