import { setTimeout as sleep } from "node:timers/promises";

/** Item k of a stream of items of one length: its number, then filling. */
export function numbered(k: number, bytes: number): string {
  return `${k}:`.padEnd(bytes, "x");
}

/** Number of an item that {@link numbered} made, 0 for anything else. */
export function numberOf(item: unknown): number {
  return typeof item === "string" ? Number.parseInt(item, 10) || 0 : 0;
}

/** How numbered items are to be read; the first item of the input. */
export interface IntakeOrder {
  /** Waits here before it reads on. */
  readonly gate?: string;
  /** Pauses at every so-manieth item, for a time that its number decides. */
  readonly pause?: { readonly every: number; readonly upToMs: number };
}

/** What came in. */
export interface IntakeReport {
  readonly count: number;
  /** Characters of all items. */
  readonly length: number;
  /** Items that were not the one after the item before. */
  readonly disordered: number;
}

/** What {@link intake} needs of the fixture. */
export interface Intake {
  wait(gate: string): Promise<void>;
  ended(count: number): void;
}

/** Reads numbered items as the first one orders. */
export async function intake(items: AsyncIterable<unknown>, fixture: Intake): Promise<IntakeReport> {
  let order: IntakeOrder | undefined;
  let [count, length, disordered, last] = [0, 0, 0, 0];
  for await (const item of items) {
    if (order === undefined) {
      order = item as IntakeOrder; // what the scenarios send first
      if (order.gate !== undefined) await fixture.wait(order.gate);
      continue;
    }
    const { pause } = order;
    const k = numberOf(item);
    if (pause && k % pause.every === 0) await sleep(pauseMs(k, pause.upToMs));
    count++;
    length += String(item).length;
    if (k !== last + 1) disordered++;
    last = k;
  }
  fixture.ended(count);
  return { count, length, disordered };
}

/** A pause between 0 and `upToMs` that looks random and is not. */
export function pauseMs(k: number, upToMs: number): number {
  return (k * 2_654_435_761) % (upToMs + 1);
}
