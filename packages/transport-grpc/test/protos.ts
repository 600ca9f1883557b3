import { fileURLToPath } from "node:url";
import {
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** Folders in which the published files, and those of standard services, are found. */
export const protoFolders: readonly string[] = [
  fileURLToPath(new URL("..", import.meta.url)),
  fileURLToPath(new URL("./proto", import.meta.url)),
];

const definitions = loadPackageDefinition(
  loadSync(["parley/v1/parley.proto", "grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto"], {
    includeDirs: [...protoFolders],
    keepCase: true,
    oneofs: true,
    defaults: false,
    longs: Number,
  }),
);

function serviceAt(path: string): ServiceClientConstructor {
  return path
    .split(".")
    .reduce((at, name) => at[name] as GrpcObject, definitions) as unknown as ServiceClientConstructor;
}

/** Clients that know nothing of Parley but the published files. */
export const ParleyClient: ServiceClientConstructor = serviceAt("parley.v1.Parley");
export const HealthClient: ServiceClientConstructor = serviceAt("grpc.health.v1.Health");
export const ReflectionClient: ServiceClientConstructor = serviceAt("grpc.reflection.v1.ServerReflection");

/** The service, for servers that know nothing of Parley. */
export const parleyService: ServiceDefinition = ParleyClient.service;

/** A CloudEvent as proto-loader has it. */
export interface ProtoEvent {
  readonly id: string;
  readonly source: string;
  readonly spec_version: string;
  readonly type: string;
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly text_data?: string;
  readonly binary_data?: Buffer;
}

/** An event of a foreign sender. */
export function event(type: string, data?: unknown, attributes: Readonly<Record<string, string>> = {}): ProtoEvent {
  return {
    id: "f-1",
    source: "/foreign",
    spec_version: "1.0",
    type,
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { ce_string: value }])),
    ...(data === undefined ? {} : { text_data: JSON.stringify(data) }),
  };
}
