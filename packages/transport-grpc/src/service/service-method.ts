import type { AnyDefinition, MethodDefinition, PackageDefinition, ServiceDefinition } from "@grpc/proto-loader";
import type { CallKind } from "@parley/core/transport";

/** The four shapes of a method. */
export type MethodKind = Extract<CallKind, "request" | "server-stream" | "client-stream" | "bidi-stream">;

/** A method of a service, ready to be called. */
export interface ServiceMethod {
  /** `package.Service/Method` */
  readonly name: string;
  readonly kind: MethodKind;
  /** Its file says that its effect may be had twice (`idempotency_level`). */
  readonly idempotent: boolean;
  /** @throws Error for what is not the message that it takes */
  serialize(message: unknown): Buffer;
  /** @throws Error for what is not the message that it gives */
  deserialize(bytes: Buffer): unknown;
}

/** The methods of one service, by name. */
export type ServiceMethods = ReadonlyMap<string, ServiceMethod>;

/** A method whose messages are bytes. */
export function rawMethod(name: string, kind: MethodKind): ServiceMethod {
  // Whoever calls it gives it bytes.
  return { name, kind, idempotent: true, serialize: (bytes) => bytes as Buffer, deserialize: (bytes) => bytes };
}

/** The services among definitions, by full name. */
export function servicesOf(definitions: PackageDefinition): Map<string, ServiceMethods> {
  const services = new Map<string, ServiceMethods>();
  for (const [service, definition] of Object.entries(definitions)) {
    if (!isService(definition)) continue;
    const methods = Object.entries(definition).map(
      ([name, method]) => [name, methodOf(`${service}/${name}`, method)] as const,
    );
    services.set(service, new Map(methods));
  }
  return services;
}

/** What is no service says its format. */
function isService(definition: AnyDefinition): definition is ServiceDefinition {
  return typeof definition["format" as keyof AnyDefinition] !== "string";
}

function methodOf(name: string, definition: MethodDefinition<object, object>): ServiceMethod {
  const { requestSerialize, responseDeserialize, options } = definition;
  return {
    name,
    kind: kindOf(definition),
    idempotent: options.idempotency_level === "NO_SIDE_EFFECTS" || options.idempotency_level === "IDEMPOTENT",
    // Whatever it is given, it says what does not fit.
    serialize: (message) => requestSerialize(message as object),
    deserialize: responseDeserialize,
  };
}

function kindOf({ requestStream, responseStream }: MethodDefinition<object, object>): MethodKind {
  if (requestStream) return responseStream ? "bidi-stream" : "client-stream";
  return responseStream ? "server-stream" : "request";
}
