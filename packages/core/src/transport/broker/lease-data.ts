import type { Envelope } from "../../envelope/envelope.ts";
import type { Credit } from "../channel/credit.ts";
import type { Hop } from "../hello.ts";

/** What an accept and a lease say: the credit, and when the next one comes. */
export function leaseData({ items, bytes }: Credit, { heartbeatMs }: Hop): object {
  return { items, bytes, nextMs: heartbeatMs };
}

/** When the next lease comes; undefined where it does not say. */
export function readNextMs({ data }: Envelope): number | undefined {
  const nextMs = (data as { readonly nextMs?: unknown } | null | undefined)?.nextMs;
  return Number.isSafeInteger(nextMs) && (nextMs as number) > 0 ? (nextMs as number) : undefined;
}
