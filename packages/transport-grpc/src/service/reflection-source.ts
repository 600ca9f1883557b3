import { type Code, errorFor, ParleyError, toParleyError, withOutcome } from "@parley/core/transport";
import { ProtoReader } from "../wire/proto-reader.ts";
import {
  ERROR_RESPONSE,
  FILE_BY_FILENAME,
  FILE_CONTAINING_SYMBOL,
  FILE_DESCRIPTOR_RESPONSE,
  LIST_SERVICES,
  LIST_SERVICES_RESPONSE,
  question,
  reflectionMethods,
} from "../wire/reflection.ts";
import { codeOf, shortened } from "../wire/status.ts";
import { type DefinitionSource, noService } from "./definition-source.ts";
import type { FileDescriptor } from "./descriptor.ts";
import { descriptorJson } from "./descriptor-json.ts";
import { type GrpcFormat, loaderOptions } from "./format.ts";
import { rawMethod, type ServiceMethod, type ServiceMethods, servicesOf } from "./service-method.ts";

/** What one service may need of files, and of bytes in them; a server that tells more is not believed. */
const MAX_FILES = 1_024;
const MAX_BYTES = 16 * 1024 * 1024;

/** Questions after what is imported; each goes a step further from the service. */
const MAX_STEPS = 64;

/** Services that are remembered; then the one that was asked for first is forgotten. */
const MAX_SERVICES = 1_024;

/** Makes a bidirectional call with these messages, and gives what comes back. */
export type Exchange = (method: ServiceMethod, messages: readonly Buffer[]) => AsyncIterable<unknown>;

/** What the services look like by the server's own word: server reflection, v1 or v1alpha. A service is asked for once. */
export class ReflectionSource implements DefinitionSource {
  readonly #address: string;
  readonly #format: GrpcFormat;
  readonly #exchange: Exchange;
  readonly #known = new Map<string, ServiceMethods>();
  readonly #loading = new Map<string, Promise<ServiceMethods>>();
  /** Versions that the server may have; the first one is asked. */
  #versions = reflectionMethods;

  constructor(address: string, format: GrpcFormat, exchange: Exchange) {
    this.#address = address;
    this.#format = format;
    this.#exchange = exchange;
  }

  find(service: string): ServiceMethods | undefined {
    return this.#known.get(service);
  }

  load(service: string): Promise<ServiceMethods> {
    const known = this.#known.get(service);
    if (known) return Promise.resolve(known);
    let loading = this.#loading.get(service);
    if (!loading) {
      loading = this.#read(service).finally(() => this.#loading.delete(service));
      this.#loading.set(service, loading);
    }
    return loading;
  }

  async services(): Promise<readonly string[]> {
    const [answer] = await this.#ask(LIST_SERVICES, [""]);
    return this.#fields(answer, LIST_SERVICES_RESPONSE).map((one) => firstField(one).toString());
  }

  async #read(service: string): Promise<ServiceMethods> {
    const { fromJSON } = await import("@grpc/proto-loader");
    const { keepCase = false } = this.#format;
    const json = descriptorJson(await this.#files(service), keepCase);
    let methods: ServiceMethods | undefined;
    try {
      methods = servicesOf(fromJSON(json, loaderOptions(this.#format))).get(service);
    } catch (cause) {
      throw this.#nonsense(`what it says of ${service} does not fit together`, cause);
    }
    if (!methods) throw this.#nonsense(`what it says of ${service} is about something else`);
    if (this.#known.size >= MAX_SERVICES) this.#known.delete([...this.#known.keys()][0] as string);
    this.#known.set(service, methods);
    return methods;
  }

  /** The file of a service, and all that it imports. */
  async #files(service: string): Promise<readonly FileDescriptor[]> {
    const read = await descriptorReader();
    const files = new Map<string, FileDescriptor>();
    let bytes = 0;
    const tooMuch = (): ParleyError =>
      this.#nonsense(`it says more of ${service} than ${MAX_FILES} files or ${MAX_BYTES} bytes`);
    const add = (answer: Buffer): void => {
      for (const one of this.#fields(answer, FILE_DESCRIPTOR_RESPONSE)) {
        bytes += one.length;
        const file = this.#readable(() => read(one));
        files.set(file.name ?? "", file);
        if (files.size > MAX_FILES || bytes > MAX_BYTES) throw tooMuch();
      }
    };
    const [answer] = await this.#ask(FILE_CONTAINING_SYMBOL, [service]);
    try {
      add(answer as Buffer);
    } catch (thrown) {
      if (thrown instanceof ParleyError && thrown.code === "not_found")
        throw noService(this.#address, service, await this.services());
      throw thrown;
    }
    for (let step = 0; step < MAX_STEPS; step++) {
      const missing = missingOf(files);
      if (missing.length === 0) return [...files.values()];
      if (files.size + missing.length > MAX_FILES) throw tooMuch();
      for (const more of await this.#ask(FILE_BY_FILENAME, missing)) add(more);
    }
    throw this.#nonsense(`it does not tell ${shortened(missingOf(files).join(", "))}`);
  }

  /** Asks one thing of several, in the newest version that the server has. */
  async #ask(tag: number, names: readonly string[]): Promise<readonly Buffer[]> {
    const questions = names.map((name) => question(tag, name));
    let absent: ParleyError | undefined;
    for (const version of this.#versions) {
      try {
        const answers = await this.#answers(version, questions);
        this.#versions = [version];
        return answers;
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (error.code !== "unimplemented") throw withOutcome(error, "not-sent");
        absent = error;
      }
    }
    // The next to ask may find another server there.
    this.#versions = reflectionMethods;
    const message = `${this.#address} has no server reflection, so its methods are not known; give the option proto`;
    throw new ParleyError("failed_precondition", message, { outcome: "not-sent", cause: absent });
  }

  async #answers(version: string, questions: readonly Buffer[]): Promise<readonly Buffer[]> {
    const answers: Buffer[] = [];
    for await (const answer of this.#exchange(rawMethod(version, "bidi-stream"), questions)) {
      answers.push(answer as Buffer);
      if (answers.length === questions.length) return answers;
    }
    throw this.#nonsense(`it left ${questions.length - answers.length} questions unanswered`);
  }

  /** The repeated field 1 of the answer that is expected. */
  #fields(answer: Buffer | undefined, expected: number): readonly Buffer[] {
    return this.#readable(() => {
      const fields: Buffer[] = [];
      const reader = new ProtoReader(answer as Buffer);
      while (!reader.done) {
        const tag = reader.tag();
        if (tag === ERROR_RESPONSE) throw refusal(reader.bytes(), this.#address);
        if (tag !== expected) reader.skip(tag);
        else fields.push(...fieldsOf(reader.bytes()));
      }
      return fields;
    });
  }

  #readable<Value>(read: () => Value): Value {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof ParleyError && thrown.outcome === "not-sent") throw thrown;
      throw this.#nonsense("its answer cannot be read", thrown);
    }
  }

  #nonsense(why: string, cause?: unknown): ParleyError {
    const message = `server reflection of ${this.#address} is of no use: ${why}; give the option proto`;
    return new ParleyError("internal", message, { outcome: "not-sent", cause });
  }
}

function missingOf(files: ReadonlyMap<string, FileDescriptor>): readonly string[] {
  const wanted = new Set([...files.values()].flatMap(({ dependency = [] }) => dependency));
  return [...wanted].filter((name) => !files.has(name));
}

/** Reads descriptors by their own description, which the library brings along. */
async function descriptorReader(): Promise<(bytes: Buffer) => FileDescriptor> {
  const { load } = await import("@grpc/proto-loader");
  const definitions = await load("google/protobuf/descriptor.proto", { enums: String });
  const { deserialize } = definitions["google.protobuf.FileDescriptorProto"] as { deserialize(bytes: Buffer): object };
  return deserialize;
}

/** An ErrorResponse. */
function refusal(bytes: Buffer, address: string): ParleyError {
  const reader = new ProtoReader(bytes);
  let code: Code = "unknown";
  let message = "";
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) code = codeOf(reader.varint());
    else if (tag === 0x12) message = reader.text();
    else reader.skip(tag);
  }
  return errorFor(code, `server reflection of ${address}: ${shortened(message)}`, { outcome: "not-sent" });
}

function fieldsOf(bytes: Buffer): readonly Buffer[] {
  const fields: Buffer[] = [];
  const reader = new ProtoReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) fields.push(reader.bytes());
    else reader.skip(tag);
  }
  return fields;
}

function firstField(bytes: Buffer): Buffer {
  return fieldsOf(bytes)[0] ?? Buffer.alloc(0);
}
