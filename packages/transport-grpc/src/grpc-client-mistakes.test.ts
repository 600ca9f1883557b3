import { expect, test } from "vitest";
import { failure } from "../test/pair.ts";
import { protoFolders } from "../test/protos.ts";
import { type GrpcCallOptions, GrpcClient, type GrpcClientOptions } from "./index.ts";

const url = "grpc://127.0.0.1:1";

test.each<[string, unknown, string]>([
  ["an address in place of options", url, "GrpcClient takes an object of options"],
  ["nothing", undefined, "was given undefined"],
  ["a host without a scheme", { url: "localhost:50051" }, "localhost:50051 is no URL of a server"],
  ["a name of another library", { url, protoPath: "a.proto" }, "did you mean proto?"],
  ["a compression that there is not", { url, compression: "br" }, 'compression is br, and must be "gzip"'],
  ["a header that is undefined", { url, headers: { "x-a": undefined } }, "the header x-a is no text but undefined"],
  ["a token in place of credentials", { url, credentials: "t0ken" }, "the option credentials takes what bearer()"],
])("%s is refused when the client is made", (_what, options, message) => {
  const make = () => new GrpcClient(options as GrpcClientOptions); // what callers without types write
  expect(make).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
  expect(make).not.toThrow(/t0ken/);
});

test.each<[unknown, string]>([
  [{ deadline: 5 }, 'a call of demo.v1.Demo/SayHello has no option "deadline"'],
  [{ timeoutMs: "1s" }, "timeoutMs is 1s"],
])("a call with %j is refused before anything is sent", async (options, message) => {
  await using client = new GrpcClient({ url, proto: "demo/v1/demo.proto", includeDirs: [...protoFolders] });
  const error = await failure(client.unary("demo.v1.Demo/SayHello", {}, options as GrpcCallOptions));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).toContain(message);
});
