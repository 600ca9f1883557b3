import type { Log, ParleyError } from "@parley/core/transport";
import type { Counts } from "./counts.ts";
import type { Operation } from "./operation.ts";
import type { Outbox } from "./outbox.ts";

/** What a child and this side say to each other, in one format, until the child ends. */
export interface Exchange {
  /** Something came from its stdout. */
  data(chunk: Buffer): void;
  /** Nothing more will come, and nobody will answer, because of the error. In order: those who only read are told that it is over. */
  finish(error: ParleyError, inOrder: boolean): void;
  /** Whether something waits to be read. */
  readonly unread: boolean;
  send(message: unknown, operation: Operation): Promise<void>;
  request(question: unknown, operation: Operation, until: unknown): Promise<unknown>;
  next(operation: Operation): Promise<IteratorResult<unknown, undefined>>;
}

/** What an {@link Exchange} is made from. */
export interface ExchangeInit {
  /** As errors name it. */
  readonly program: string;
  readonly outbox: Outbox;
  /** Holds up the child's stdout. */
  readonly flow: { pause(): void; resume(): void };
  readonly maxMessageBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxCalls: number;
  readonly counts: Counts;
  readonly log: Log | undefined;
  /** Ends the child, since what it wrote cannot be read. */
  fail(error: ParleyError): void;
}
