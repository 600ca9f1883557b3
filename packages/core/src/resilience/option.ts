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

/** @throws ParleyError `invalid_argument` when it is none of the choices. */
export function choiceOption<Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice {
  if (!choices.includes(value)) throw unfit(name, value, choices.map((choice) => `"${choice}"`).join(" or "));
  return value;
}

/** The names that an object of options may have; all of them, or it does not compile. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/**
 * Refuses options that there are not: without types a name that is misspelt would go unnoticed, and a limit or a secret with it.
 * @param owner whose options they are, as the message names it: `HttpClient`, or `the option pool`
 * @throws ParleyError `invalid_argument`, which names the option and not its value
 */
export function knownOptions<Options extends object>(
  owner: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new ParleyError("invalid_argument", `${owner} takes an object of options, and was given ${typeof options}`, {
      outcome: "not-sent",
    });
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(names, name)) throw unknownOption(owner, name, Object.keys(names));
  }
}

function unknownOption(owner: string, name: string, names: readonly string[]): ParleyError {
  const given = name.toLowerCase();
  const beginning = names.filter((one) => one.toLowerCase().startsWith(given));
  const around = names.filter((one) => one.toLowerCase().includes(given) || given.includes(one.toLowerCase()));
  const alike = beginning.length > 0 ? beginning : around;
  const advice = alike.length > 0 ? `did you mean ${alike.join(" or ")}?` : `it has ${names.join(", ")}`;
  return new ParleyError("invalid_argument", `${owner} has no option "${name}"; ${advice}`, { outcome: "not-sent" });
}

function unfit(name: string, value: unknown, wanted: string): ParleyError {
  return new ParleyError("invalid_argument", `${name} is ${String(value)}, and must be ${wanted}`, {
    outcome: "not-sent",
  });
}
