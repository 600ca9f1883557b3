/** A word that must never be seen on a wire. */
export const CANARY = "canary-5f1e9c";

/** What a handler throws that is no ParleyError. */
export const throwVariants = [
  "undefined",
  "a string",
  "an Error",
  "a frozen Error",
  "an Error with a cause",
  "a hostile object",
  "a promise's rejection",
] as const;

/** Name of something to throw. */
export type ThrowVariant = (typeof throwVariants)[number];

/** Throws it, or gives a promise that rejects with it. */
export function throwVariant(variant: ThrowVariant): unknown {
  switch (variant) {
    case "undefined":
      throw undefined;
    case "a string":
      throw `${CANARY} as a string`;
    case "an Error":
      throw new TypeError(`${CANARY} in a message`);
    case "a frozen Error":
      throw Object.freeze(new Error(`${CANARY} in a frozen message`));
    case "an Error with a cause":
      throw new Error(`${CANARY} outside`, { cause: new Error(`${CANARY} inside`) });
    case "a hostile object":
      throw hostile();
    case "a promise's rejection":
      return Promise.reject(new Error(`${CANARY} in a rejection`));
  }
}

function hostile(): object {
  const fail = (): never => {
    throw new Error(`${CANARY} from a getter`);
  };
  return Object.defineProperties(
    {},
    { message: { get: fail }, code: { get: fail }, name: { get: fail }, stack: { get: fail } },
  );
}
