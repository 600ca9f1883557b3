import type { ParleyError } from "../../transport/index.ts";
import type { AnswerHeaders, ResponseController } from "./socket.ts";

/** A stream whose answer was cut, as whoever takes it up sees it. */
export interface ResumableStream {
  /** Type of the call. */
  readonly type: string;
  /** Where to go on. */
  readonly position: string;
  /** Nothing more is wanted. */
  readonly over: boolean;
  /** The answer goes on with this. Returns whether it can be read. */
  reattached(controller: ResponseController, status: number, headers: AnswerHeaders): boolean;
  /** More of the answer. */
  read(chunk: Uint8Array): void;
  /** It cannot be taken up any more. */
  fail(error: ParleyError): void;
}

/** Takes up one stream, as often as it is cut. */
export interface Resumption {
  /** The answer was cut, for this reason. */
  start(cause: ParleyError): void;
  /** Nobody wants it any more. */
  stop(): void;
}
