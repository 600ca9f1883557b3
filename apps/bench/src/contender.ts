import type { Size } from "./plan.ts";

/** One way of doing the same work over one wire. The two sides live in processes of their own. */
export interface Contender {
  serve(): Promise<ServingSide>;
  connect(url: string): Promise<CallingSide>;
}

/** The process that answers. */
export interface ServingSide {
  /** Where it is dialled, on the loopback interface. */
  readonly url: string;
  close(): Promise<void>;
}

/** The process that calls. Whatever is answered wrongly rejects. */
export interface CallingSide {
  /** Sends a payload and resolves when the same has come back, in a reply of the right id. */
  request(size: Size, serial: number): Promise<void>;
  /** Resolves when so many items have arrived, in order, numbered from 1. */
  stream(size: Size, items: number): Promise<void>;
  /** Subscribes on connections of their own, to be left open; resolves when all subscriptions stand. */
  subscribe(subscribers: number, delivered: Delivered): Promise<void>;
  /** Publishes a payload to the subscribers; not confirmed. */
  publish(size: Size, serial: number): void;
  close(): Promise<void>;
}

/** A publication has reached a subscriber. */
export type Delivered = (subscriber: number, serial: unknown) => void;

/** Fails a run whose answers are not the ones expected. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what} must be ${String(expected)}, and is ${String(actual)}`);
}
