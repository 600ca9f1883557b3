import type { Payload, StreamRequest } from "./payload.ts";

/** One way of doing the same work over one wire. The two sides live in processes of their own. */
export interface Contender {
  /** @param broker where to be found behind a broker, for wires that have one; without it a free port of the loopback interface is taken */
  serve(broker: string | undefined): Promise<ServingSide>;
  connect(url: string): Promise<CallingSide>;
}

/** The process that answers. */
export interface ServingSide {
  /** Where it is dialled. */
  readonly url: string;
  close(): Promise<void>;
}

/** One connection of the process that calls. Whatever is answered wrongly rejects. What is absent is not measured of the contender. */
export interface CallingSide {
  /** Sends data and resolves when the same has come back, in a reply of the right id. */
  request(data: Payload): Promise<void>;
  /** Resolves when all items have arrived, in order, numbered from 1. */
  stream?(asked: StreamRequest): Promise<void>;
  /** Resolves when the subscription to a topic stands, which is left open. */
  subscribe?(topic: string, delivered: Delivered): Promise<void>;
  /** Resolves when the wire has confirmed it; undefined where it does not. */
  publish?(topic: string, data: Payload): Promise<void> | undefined;
  close(): Promise<void>;
}

/** Takes the number of a publication that has reached a subscriber. */
export type Delivered = (serial: unknown) => void;

/** Fails a run whose answers are not the ones expected. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what} must be ${String(expected)}, and is ${String(actual)}`);
}
