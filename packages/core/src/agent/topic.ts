import type { InputCast, PreviousVersions } from "./cast.ts";
import { readPrevious } from "./operation.ts";
import type { Schema } from "./schema.ts";

/** A topic of a contract, or a family of them. Made by {@link topic}. */
export interface Topic<Path extends string = string, Data extends Schema = Schema> {
  readonly kind: "topic";
  /** Segments by `/`; those in braces are parameters, `"agents/{agent}/status"`. */
  readonly path: Path;
  readonly version: number;
  /** Schema of what is published. */
  readonly data: Data;
  readonly previous: PreviousVersions;
}

/** Names of the parameters in a path. */
type ParamName<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamName<Rest>
  : never;

/** Values for the parameters in a path: `{ agent: string }` for `"agents/{agent}/status"`. */
export type Params<Path extends string> = { readonly [Name in ParamName<Path>]: string };

/** What {@link topic} takes. */
export interface TopicDefinition<Path extends string, Data extends Schema, OldData> {
  /** Segments by `/`; those in braces are parameters, `"agents/{agent}/status"`. */
  readonly path: Path;
  /** Schema of what is published. */
  readonly data: Data;
  /** Major version of the data. @default 1 */
  readonly version?: number | undefined;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: { readonly [Version in keyof OldData]: { readonly data?: InputCast<OldData[Version], Data> } };
}

/** A topic, to which anybody can publish and subscribe. */
export function topic<const Path extends string, Data extends Schema, OldData = Record<never, never>>(
  definition: TopicDefinition<Path, Data, OldData>,
): Topic<Path, Data> {
  const { path, data, version = 1, previous = {} } = definition;
  return { kind: "topic", path, data, version, previous: readPrevious(previous, { input: "data" }) };
}
