import type { Cast } from "./cast.ts";
import { andThen, isPromise, type Maybe } from "./maybe.ts";
import { broken, type Place, type Schema, validate } from "./schema.ts";

/** Takes data from a user to the wire, or from the wire to a user. `position` is that of an item in its stream, from 1. */
export type Convert = (value: unknown, position?: number) => Maybe<unknown>;

/** One form of data at one place. */
export interface Conversion extends Place {
  /** The present schema; absent where there is no data. */
  readonly schema: Schema | undefined;
  /** The older form that is on the wire, if it is not the present one. */
  readonly cast?: Cast | undefined;
}

/**
 * For whoever sends. Data of the present version leaves as it was given, once the schema has accepted it: the receiver's schema fills in
 * defaults and transforms, and what one schema made of it would not always pass the other.
 */
export function sending(conversion: Conversion): Convert {
  const { schema, cast } = conversion;
  if (cast) {
    return (value, position) =>
      andThen(schema && validate(schema, value, conversion, position), (current) => {
        const old = call(cast, "downcast", current, conversion);
        const checked = validate(cast.schema, old, conversion, position);
        return isPromise(checked) ? checked.then(() => old) : old;
      });
  }
  if (!schema) return nothing;
  return (value, position) => {
    const checked = validate(schema, value, conversion, position);
    return isPromise(checked) ? checked.then(() => value) : value;
  };
}

/** For whoever receives: the value as the present schema gives it. */
export function receiving(conversion: Conversion): Convert {
  const { schema, cast } = conversion;
  if (cast) {
    return (value, position) =>
      andThen(validate(cast.schema, value, conversion, position), (old) => {
        const current = call(cast, "upcast", old, conversion);
        return schema && validate(schema, current, conversion, position);
      });
  }
  if (!schema) return nothing;
  return (value, position) => validate(schema, value, conversion, position);
}

function nothing(): undefined {
  return undefined;
}

function call(cast: Cast, direction: "upcast" | "downcast", value: unknown, place: Place): unknown {
  try {
    return cast[direction]?.(value);
  } catch (cause) {
    throw broken(direction, place, cause);
  }
}
