import type { Metadata, StatusObject } from "@grpc/grpc-js";
import type { Envelope, ParleyError } from "@parley/core/transport";

/** How one call is written on gRPC, and what comes back is read. */
export interface WireMethod {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: Metadata;
  /** The message that opens the call; absent where the first item does. */
  readonly opener?: Buffer | undefined;
  /** How long the call waits for a connection, ms. @default as long as it lives */
  readonly connectTimeoutMs?: number | undefined;
  /** Writes an item of an upload; they count from 1. @throws ParleyError for what cannot be sent */
  encode(item: Envelope, seq: number): Buffer;
  /** Reads an answer, or an item of one; they count from 1. @throws whatever is wrong with it */
  decode(bytes: Buffer, seq: number): Envelope;
  /** The error of a call that ended badly. @param sent whether the peer may have seen any of it */
  errorOf(status: StatusObject, sent: boolean): ParleyError;
  /** There is a connection, and the call is about to be sent. May be told twice. */
  leaving?(): void;
  /** Metadata that the peer began its answer with. */
  answering?(metadata: Metadata): void;
  /** How the peer ended the call. */
  ended?(status: StatusObject): void;
}
