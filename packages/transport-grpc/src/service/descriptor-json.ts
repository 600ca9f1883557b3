import type { fromJSON } from "@grpc/proto-loader";
import { ParleyError } from "@parley/core/transport";
import type {
  EnumDescriptor,
  FieldDescriptor,
  FileDescriptor,
  MessageDescriptor,
  ServiceDescriptor,
} from "./descriptor.ts";

/** Definitions as the library for .proto files takes them, other than from a file. */
export type DefinitionJson = Parameters<typeof fromJSON>[0];

type Json = Readonly<Record<string, unknown>>;

/** How names become those in JavaScript. */
interface Naming {
  readonly keepCase: boolean;
  readonly edition: string;
}

/**
 * What descriptors describe, as definitions. The library reads descriptors too, but takes maps for lists, forgets what may be repeated, and keeps
 * the case of fields, unlike those from a .proto file. Groups and extensions of proto2 are left out.
 * @throws ParleyError `internal` for names that none can have: they become parts of code
 */
export function descriptorJson(files: readonly FileDescriptor[], keepCase: boolean): DefinitionJson {
  const root: Record<string, unknown> = {};
  for (const file of files) {
    const at = packageAt(root, file.package ?? "");
    const naming = { keepCase, edition: file.syntax === "proto3" ? "proto3" : file.syntax ? "2023" : "proto2" };
    for (const one of file.messageType ?? []) at[nameOf(one)] = { ...message(one, naming), edition: naming.edition };
    for (const one of file.enumType ?? []) at[nameOf(one)] = { ...enumeration(one), edition: naming.edition };
    for (const one of file.service ?? []) at[nameOf(one)] = service(one);
  }
  return { nested: root } as DefinitionJson;
}

function packageAt(root: Record<string, unknown>, path: string): Record<string, unknown> {
  let at = root;
  for (const part of path.split(".")) {
    if (part === "") continue;
    const name = checked(part);
    at[name] ??= { nested: {} };
    at = (at[name] as { nested: Record<string, unknown> }).nested;
  }
  return at;
}

function message(
  { field = [], nestedType = [], enumType = [], oneofDecl = [] }: MessageDescriptor,
  naming: Naming,
): Json {
  const maps = new Map(nestedType.filter(({ options }) => options?.mapEntry).map((one) => [nameOf(one), one]));
  const kept = field.filter(({ type }) => type !== "TYPE_GROUP");
  const members = kept.map((one) => [fieldName(one, naming), fieldJson(one, maps, naming)] as const);
  const oneofs = oneofDecl.map((one, index) => {
    const parts = kept.filter(({ oneofIndex }) => oneofIndex === index);
    // The one of a field that is merely optional is named after that field.
    const [optional] = parts.filter(({ proto3Optional }) => proto3Optional);
    const name = optional ? `_${fieldName(optional, naming)}` : cased(nameOf(one), naming);
    return [name, { oneof: parts.map((part) => fieldName(part, naming)) }] as const;
  });
  const nested = [
    ...nestedType.filter((one) => !one.options?.mapEntry).map((one) => [nameOf(one), message(one, naming)] as const),
    ...enumType.map((one) => [nameOf(one), enumeration(one)] as const),
  ];
  return {
    fields: Object.fromEntries(members),
    oneofs: Object.fromEntries(oneofs),
    nested: Object.fromEntries(nested),
  };
}

function fieldJson(field: FieldDescriptor, maps: ReadonlyMap<string, MessageDescriptor>, naming: Naming): Json {
  const { number: id, label, defaultValue, proto3Optional, options: { packed } = {} } = field;
  const repeated = label === "LABEL_REPEATED";
  const entry = repeated ? maps.get(field.typeName?.split(".").at(-1) ?? "") : undefined;
  const [key, value] = entry?.field ?? [];
  if (key && value) return { id, keyType: typeOf(key), type: typeOf(value) };
  const options = {
    ...(repeated ? { packed: packed ?? naming.edition !== "proto2" } : {}),
    ...(proto3Optional ? { proto3_optional: true } : {}),
    ...(defaultValue === undefined || field.type === "TYPE_BYTES" ? {} : { default: defaultOf(field, defaultValue) }),
  };
  const rule = repeated ? "repeated" : label === "LABEL_REQUIRED" ? "required" : undefined;
  return { id, type: typeOf(field), ...(rule ? { rule } : {}), options };
}

function defaultOf({ type }: FieldDescriptor, text: string): unknown {
  if (type === "TYPE_STRING" || type === "TYPE_ENUM") return text;
  return type === "TYPE_BOOL" ? text === "true" : Number(text);
}

/** `TYPE_INT32` is `int32`; messages and enums go by their full name. */
function typeOf({ type = "", typeName }: FieldDescriptor): string {
  return typeName === undefined ? type.replace("TYPE_", "").toLowerCase() : checkedPath(typeName);
}

function enumeration({ value = [] }: EnumDescriptor): Json {
  // Of several names for a number the library takes the last, and a .proto file means the first.
  const names = Map.groupBy(value, ({ number = 0 }) => number);
  const values = [...names.values()].flatMap((same) => same.toReversed());
  return { values: Object.fromEntries(values.map((one) => [nameOf(one), one.number ?? 0])) };
}

function service({ method = [] }: ServiceDescriptor): Json {
  const methods = method.map((one) => {
    const options = { idempotency_level: one.options?.idempotencyLevel ?? "IDEMPOTENCY_UNKNOWN" };
    const json = {
      requestType: checkedPath(one.inputType),
      responseType: checkedPath(one.outputType),
      requestStream: one.clientStreaming === true,
      responseStream: one.serverStreaming === true,
      options,
      parsedOptions: [options],
    };
    return [nameOf(one), json] as const;
  });
  return { methods: Object.fromEntries(methods) };
}

function fieldName(field: FieldDescriptor, naming: Naming): string {
  return cased(nameOf(field), naming);
}

/** Camel case as the library makes it of fields in a file. */
function cased(name: string, { keepCase }: Naming): string {
  return keepCase ? name : name.replace(/(?!^)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function nameOf({ name }: { readonly name?: string }): string {
  return checked(name);
}

function checkedPath(path = ""): string {
  for (const part of path.split(".").slice(1)) checked(part);
  return path;
}

function checked(name: string | undefined): string {
  if (name !== undefined && /^[A-Za-z_]\w*$/.test(name) && name !== "__proto__") return name;
  throw new ParleyError("internal", `a descriptor has the name ${JSON.stringify(name)}, which none can have`, {
    outcome: "not-sent",
  });
}
