import { ParleyError } from "../call/error.ts";
import { callKinds } from "../envelope/envelope.ts";
import type { Cast, PreviousVersions } from "./cast.ts";
import type { Operation } from "./operation.ts";
import { isSchema } from "./schema.ts";
import type { Topic } from "./topic.ts";
import { overlap, parsePath, type TopicPath } from "./topic-path.ts";

/** One entry of a contract. */
export type Definition = Operation | Topic;

/** The entries of a contract by name. */
export type Definitions = Readonly<Record<string, Definition>>;

/** What an agent can be asked, shared by both sides. Made by {@link contract}. */
export interface Contract<Entries extends Definitions = Definitions> {
  readonly name: string;
  readonly operations: Entries;
}

/** Names that a client, or JavaScript, gives a meaning of their own. */
const reserved: ReadonlySet<string> = new Set([
  "catch",
  "close",
  "connection",
  "constructor",
  "finally",
  "hasOwnProperty",
  "prototype",
  "then",
  "toJSON",
  "toString",
  "valueOf",
]);

const CONTRACT_NAME = /^[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*$/;
const OPERATION_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const MAX_CONTRACT_NAME = 128;
const MAX_OPERATION_NAME = 64;

/**
 * Names operations and topics, which then have the types `<contract>.<operation>.v<version>` on every wire.
 *
 * ```ts
 * export const text = contract("text", {
 *   summarize: request({ input: z.object({ text: z.string() }), output: z.object({ summary: z.string() }) }),
 * });
 * ```
 * @param name letters, digits, `_`, `-`, in parts by `.`; `parley` is Parley's own.
 * @throws ParleyError `invalid_argument` for a name that does not fit or is reserved, something that is no operation, a version or cast
 * that makes no sense, and topics whose paths overlap.
 */
export function contract<Entries extends Definitions>(name: string, operations: Entries): Contract<Entries> {
  checkContractName(name);
  const paths: [name: string, path: TopicPath][] = [];
  for (const [key, definition] of Object.entries(operations)) {
    const what = `${name}.${key}`;
    checkOperationName(key, name);
    checkDefinition(definition, what);
    checkVersions(definition, what);
    if (definition.kind !== "topic") continue;
    const path = parsePath(definition.path);
    const twin = paths.find(([, other]) => overlap(path, other));
    if (twin)
      throw unfit(
        `the topics ${name}.${twin[0]} and ${what} overlap: a message at ${definition.path} could be of either`,
      );
    paths.push([key, path]);
  }
  return { name, operations: { ...operations } };
}

function checkContractName(name: string): void {
  if (!CONTRACT_NAME.test(name) || name.length > MAX_CONTRACT_NAME) {
    throw unfit(
      `${JSON.stringify(name)} is no name for a contract: letters, digits, _ and -, in parts separated by dots, each starting with a letter; at most ${MAX_CONTRACT_NAME} characters`,
    );
  }
  if (name.split(".")[0] === "parley")
    throw unfit(`the contract name ${name} is reserved: parley is the name of Parley's own operations`);
}

function checkOperationName(key: string, contractName: string): void {
  if (!OPERATION_NAME.test(key) || key.length > MAX_OPERATION_NAME) {
    throw unfit(
      `${JSON.stringify(key)} is no name for an operation of ${contractName}: letters, digits and _, starting with a letter; at most ${MAX_OPERATION_NAME} characters`,
    );
  }
  if (reserved.has(key))
    throw unfit(`the operation name ${contractName}.${key} is reserved: a client has a member of this name already`);
}

function checkDefinition(definition: Definition, what: string): void {
  // Whatever JavaScript passes.
  const { kind, previous } = (definition ?? {}) as Partial<Definition>;
  if (!kinds.has(kind) || typeof previous !== "object") {
    throw unfit(
      `${what} is no operation: make it with request, notify, serverStream, clientStream, bidiStream or topic`,
    );
  }
  const schemas =
    definition.kind === "topic" ? { data: definition.data } : { input: definition.input, output: definition.output };
  for (const [side, schema] of Object.entries(schemas)) {
    const required = side === "data" || (side === "input" ? streamsIn : streamsOut).has(definition.kind);
    if (schema === undefined ? !required : isSchema(schema)) continue;
    const key = keys[definition.kind]?.[side] ?? side;
    const problem = schema === undefined ? `has no schema ${key}` : `has a schema ${key} that is no Standard Schema`;
    throw unfit(`${what} ${problem}: give a validator of zod, valibot, arktype or the like`);
  }
}

const kinds: ReadonlySet<unknown> = new Set([
  ...callKinds.filter((kind) => kind !== "publish" && kind !== "subscribe"),
  "topic",
]);
/** What sides are called where they are defined, if not by their own names. */
const keys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "server-stream": { output: "item" },
  "client-stream": { input: "item" },
  "bidi-stream": { input: "inputItem", output: "outputItem" },
};
const streamsIn: ReadonlySet<string> = new Set(["client-stream", "bidi-stream"]);
const streamsOut: ReadonlySet<string> = new Set(["server-stream", "bidi-stream"]);

function checkVersions(
  { version, previous }: { readonly version: number; readonly previous: PreviousVersions },
  what: string,
): void {
  if (!isVersion(version))
    throw unfit(`the version of ${what} is ${version}, and must be a whole number from 1 to ${MAX_VERSION}`);
  for (const [key, { input, output }] of Object.entries(previous)) {
    const old = Number(key);
    if (!isVersion(old) || old >= version) {
      throw unfit(
        `${what} is at version ${version} and describes ${key} as a previous one, which must be a lower number`,
      );
    }
    checkCast(input, "upcast", `${what} version ${key}, what callers send`);
    checkCast(output, "downcast", `${what} version ${key}, what agents send`);
  }
}

function checkCast(cast: Cast | undefined, required: "upcast" | "downcast", what: string): void {
  if (cast === undefined) return;
  if (!isSchema(cast.schema)) throw unfit(`${what}: the schema is no Standard Schema`);
  if (typeof cast[required] !== "function")
    throw unfit(`${what}: ${required} is missing; without it an agent cannot answer old callers`);
}

const MAX_VERSION = 999_999;

function isVersion(version: number): boolean {
  return Number.isSafeInteger(version) && version >= 1 && version <= MAX_VERSION;
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
