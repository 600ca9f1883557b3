import { fileURLToPath } from "node:url";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type GrpcObject,
  loadPackageDefinition,
  type requestCallback,
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

/** Makes clients of one service; its methods are those that the file gives it. */
interface ClientConstructor<Service> {
  new (...parts: ConstructorParameters<typeof Client>): Client & Service;
  readonly service: ServiceDefinition;
}

function serviceAt<Service>(path: string): ClientConstructor<Service> {
  return path
    .split(".")
    .reduce((at, name) => at[name] as GrpcObject, definitions) as unknown as ClientConstructor<Service>;
}

/** A method with one request and one answer; metadata and options of the call may stand between request and callback. */
type Unary<Answer> = (
  request: object,
  ...rest: readonly [...parts: object[], done: requestCallback<Answer>]
) => ClientUnaryCall;

/** A client of `parley.v1.Parley`. */
export interface ParleyService {
  readonly Request: Unary<ProtoEvent>;
  readonly Notify: Unary<ProtoEvent>;
  readonly Publish: Unary<ProtoEvent>;
  ServerStream(request: object): ClientReadableStream<ProtoEvent>;
  Subscribe(request: object): ClientReadableStream<ProtoEvent>;
  ClientStream(done: requestCallback<ProtoEvent>): ClientWritableStream<object>;
  BidiStream(): ClientDuplexStream<object, ProtoEvent>;
}

/** A client of `grpc.health.v1.Health`. */
export interface HealthService {
  readonly Check: Unary<object>;
  Watch(request: object): ClientReadableStream<{ readonly status?: number }>;
}

/** A client of `grpc.reflection.v1.ServerReflection`. */
export interface ReflectionService {
  ServerReflectionInfo(): ClientDuplexStream<object, ReflectionAnswer>;
}

/** What reflection answers: one of the three. */
export interface ReflectionAnswer {
  readonly original_request: object;
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

/** Clients that know nothing of Parley but the published files. */
export const ParleyClient: ClientConstructor<ParleyService> = serviceAt("parley.v1.Parley");
export const HealthClient: ClientConstructor<HealthService> = serviceAt("grpc.health.v1.Health");
export const ReflectionClient: ClientConstructor<ReflectionService> = serviceAt("grpc.reflection.v1.ServerReflection");

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
