import { ParleyError } from "../call/error.ts";

/** Longest duration there is, ms: what `setTimeout` takes and `timeoutms` can say, 24 days. */
export const MAX_DURATION_MS: number = 2 ** 31 - 1;

/** @throws ParleyError `invalid_argument` when it is no number of milliseconds from 0. What is absurdly long is cut to 24 days. */
export function durationOption(name: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0)) throw unfit(name, value, "a number of milliseconds, 0 or more");
  return Math.min(value, MAX_DURATION_MS);
}

/** @throws ParleyError `invalid_argument` when it is no whole number from `least`. Infinity is none. */
export function countOption(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) throw unfit(name, value, `a whole number, ${least} or more`);
  return value;
}

/** @throws ParleyError `invalid_argument` when it is no share from 0 to 1. */
export function shareOption(name: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) throw unfit(name, value, "a share from 0 to 1");
  return value;
}

/** @throws ParleyError `invalid_argument` when it is no finite number from 0. */
export function rateOption(name: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw unfit(name, value, "a number per second, 0 or more");
  return value;
}

function unfit(name: string, value: unknown, wanted: string): ParleyError {
  return new ParleyError("invalid_argument", `${name} is ${String(value)}, and must be ${wanted}`, {
    outcome: "not-sent",
  });
}
