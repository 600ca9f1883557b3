import type { Options } from "@grpc/proto-loader";

/** How messages look in JavaScript. */
export interface GrpcFormat {
  /** Names of fields as they are in the file, rather than in camel case. @default false */
  readonly keepCase?: boolean | undefined;
  /** 64-bit integers: as text, exact, or as numbers, exact up to 2^53. @default "string" */
  readonly longs?: "string" | "number" | undefined;
  /** Values of enums, by name or by number. @default "string" */
  readonly enums?: "string" | "number" | undefined;
  /** Whether fields that are not set have their default in what arrives; those of messages have `null`. @default true */
  readonly defaults?: boolean | undefined;
  /** Whether what arrives says which field of each `oneof` is set, under the name of that. @default true */
  readonly oneofs?: boolean | undefined;
}

/** The same, as the library for .proto files has it. */
export function loaderOptions(format: GrpcFormat): Options {
  const { keepCase = false, longs = "string", enums = "string", defaults = true, oneofs = true } = format;
  return {
    keepCase,
    longs: longs === "number" ? Number : String,
    ...(enums === "string" ? { enums: String } : {}),
    defaults,
    oneofs,
  };
}
