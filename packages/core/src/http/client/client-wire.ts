import type { Call, CallKind, CloseOptions, Hello, Reply } from "../../transport/index.ts";
import type { Link } from "./link.ts";
import type { ResumableStream, Resumption } from "./resumption.ts";
import type { UploadBody, UploadInit } from "./upload-body.ts";

/** Cuts the bytes of a stream's answer into the texts of events. */
export interface EventReader {
  /** @throws ParleyError when they are too long, or make no sense. */
  read(chunk: Uint8Array): void;
  /** Where to go on after a cut, if the peer has said. */
  readonly position?: string | undefined;
}

/** What is particular to the dialling side of one wire among those that share HTTP. */
export interface ClientWire {
  /** Media type of the answers of streams. */
  readonly streamType: string;
  /** Headers of requests that follow a call, flat. */
  readonly accept: readonly string[];
  /** Headers of the request that opens a call of this kind, flat. The content type is set by what the body is. */
  headers(kind: CallKind): readonly string[];
  /** Reads the answer of a stream. */
  reader(maxBytes: number, take: (text: string) => void): EventReader;
  /** Makes the body of a request that holds the caller's items; absent where those go by requests of their own. */
  upload?(init: UploadInit): UploadBody;
  /** Makes a call in a way of its own; undefined leaves it to the usual one. */
  open?(call: Call): Promise<Reply> | undefined;
  /** Calls that {@link open} keeps back for a moment. */
  readonly waiting?: number;
  /** The handshake is done; resolves when the connection can be used. */
  meet?(hello: Hello, data: unknown): Promise<void> | void;
  /** Whether the answer to a call of this kind may be taken up, so that closing it does not cancel the call. */
  resumes?(kind: CallKind): boolean;
  /** Takes up streams that were cut. */
  resume?(link: Link, stream: ResumableStream): Resumption;
  /** All calls are over, and the connection closes. */
  close?(options: CloseOptions): Promise<void>;
}
