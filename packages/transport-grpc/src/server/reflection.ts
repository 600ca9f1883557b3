import { type handleBidiStreamingCall, type Server, status } from "@grpc/grpc-js";
import { HEALTH_SERVICE } from "../wire/health.ts";
import { asBytes, SERVICE } from "../wire/methods.ts";
import { ProtoReader } from "../wire/proto-reader.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import {
  ALL_EXTENSION_NUMBERS,
  ERROR_RESPONSE,
  FILE_BY_FILENAME,
  FILE_CONTAINING_EXTENSION,
  FILE_CONTAINING_SYMBOL,
  FILE_DESCRIPTOR_RESPONSE,
  LIST_SERVICES,
  LIST_SERVICES_RESPONSE,
  ORIGINAL_REQUEST,
  reflectionMethods,
} from "../wire/reflection.ts";
import { type DescribedFile, describedFiles } from "./descriptors.ts";

/** What is listed. */
const services: readonly string[] = [SERVICE, HEALTH_SERVICE];

/** Longest question; names are short. */
const MAX_REQUEST_BYTES = 4 * 1024;

const byName: ReadonlyMap<string, DescribedFile> = new Map(describedFiles.map((file) => [file.name, file]));

/** Adds server reflection, by which grpcurl and its kin learn what there is to call. */
export function addReflection(server: Server): void {
  const answer: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on("data", (request: Buffer) => {
      // A caller who asks and does not read waits for what it has asked.
      if (!call.write(responseTo(request))) call.pause();
    });
    call.on("drain", () => call.resume());
    call.on("end", () => call.end());
    call.on("error", () => {});
  };
  for (const name of reflectionMethods) server.register(`/${name}`, answer, asBytes, asBytes, "bidi");
}

/** A ServerReflectionResponse. */
export function responseTo(request: Buffer): Buffer {
  const writer = new ProtoWriter();
  if (request.length <= MAX_REQUEST_BYTES) field(writer, ORIGINAL_REQUEST, request);
  const [tag, response] = answerTo(request);
  return field(writer, tag, response).finish();
}

function answerTo(request: Buffer): readonly [tag: number, message: Buffer] {
  const question = readQuestion(request);
  switch (question?.tag) {
    case LIST_SERVICES:
      return [LIST_SERVICES_RESPONSE, listServices()];
    case FILE_BY_FILENAME:
      return filesAnswer(byName.get(question.name), "file");
    case FILE_CONTAINING_SYMBOL:
      return filesAnswer(fileOf(question.name), "symbol");
    case FILE_CONTAINING_EXTENSION:
    case ALL_EXTENSION_NUMBERS:
      return [ERROR_RESPONSE, errorResponse(status.NOT_FOUND, "there are no extensions here")];
    default:
      return [ERROR_RESPONSE, errorResponse(status.INVALID_ARGUMENT, "not a question of server reflection")];
  }
}

function readQuestion(request: Buffer): { readonly tag: number; readonly name: string } | undefined {
  try {
    if (request.length > MAX_REQUEST_BYTES) return undefined;
    const reader = new ProtoReader(request);
    let question: { readonly tag: number; readonly name: string } | undefined;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === FILE_BY_FILENAME || tag === FILE_CONTAINING_SYMBOL || tag === LIST_SERVICES)
        question = { tag, name: reader.text() };
      else {
        reader.skip(tag);
        if (tag === FILE_CONTAINING_EXTENSION || tag === ALL_EXTENSION_NUMBERS) question = { tag, name: "" };
      }
    }
    return question;
  } catch {
    return undefined;
  }
}

function filesAnswer(file: DescribedFile | undefined, what: string): readonly [tag: number, message: Buffer] {
  if (!file) return [ERROR_RESPONSE, errorResponse(status.NOT_FOUND, `no such ${what} here`)];
  const writer = new ProtoWriter();
  for (const one of withImports(file)) field(writer, 0x0a, Buffer.from(one.descriptor, "base64"));
  return [FILE_DESCRIPTOR_RESPONSE, writer.finish()];
}

/** The file, then all that it needs. */
function withImports(file: DescribedFile): ReadonlySet<DescribedFile> {
  const files = new Set([file]);
  // What is added while iterating is visited too.
  for (const { imports } of files) for (const name of imports) files.add(byName.get(name) as DescribedFile);
  return files;
}

function fileOf(symbol: string): DescribedFile | undefined {
  return describedFiles.find(({ symbols }) => symbols.some((one) => symbol === one || symbol.startsWith(`${one}.`)));
}

/** A ListServiceResponse. */
function listServices(): Buffer {
  const writer = new ProtoWriter();
  for (const name of services) field(writer, 0x0a, field(new ProtoWriter(), 0x0a, Buffer.from(name)).finish());
  return writer.finish();
}

/** An ErrorResponse. */
function errorResponse(code: number, message: string): Buffer {
  return field(new ProtoWriter().byte(0x08).varint(code), 0x12, Buffer.from(message)).finish();
}

function field(writer: ProtoWriter, tag: number, bytes: Buffer): ProtoWriter {
  return writer.byte(tag).varint(bytes.length).raw(bytes);
}
