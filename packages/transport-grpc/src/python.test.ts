import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HELLO, ParleyError } from "@parley/core/transport";
import { expect, test } from "vitest";
import { anyPort, echo, numbers } from "../test/pair.ts";
import { protoc, python, pythonMissing, temporaryFolder } from "../test/python.ts";
import { grpc } from "./index.ts";
import { describedFiles } from "./server/descriptors.ts";
import { ProtoReader } from "./wire/proto-reader.ts";

const missing = await pythonMissing();
const unlessMissing = missing === undefined ? test : test.skip;
const suffix = missing === undefined ? "" : ` (${missing})`;

unlessMissing(
  `a Python program with the published files makes every kind of call, and reads errors${suffix}`,
  async () => {
    using stubs = temporaryFolder();
    await protoc(
      `--python_out=${stubs.path}`,
      `--grpc_python_out=${stubs.path}`,
      ...["parley/v1/cloudevents.proto", "parley/v1/parley.proto"],
      ...["grpc/reflection/v1/reflection.proto", "google/rpc/status.proto"],
    );
    const aborted = new Map<string, string>();
    await using listener = await grpc().listen(anyPort, (one) => {
      const { type } = one.message;
      if (type !== HELLO) one.onAbort({ callAborted: ({ code }) => aborted.set(type, code) });
      if (type === "text.fail.v1") throw new ParleyError("failed_precondition", "nötig", { details: { why: [1] } });
      if (type === "text.hang.v1") return new Promise(() => {});
      if (type === "text.endless.v1") return { output: numbers(one, Number.POSITIVE_INFINITY) };
      return echo(one);
    });
    const script = fileURLToPath(new URL("../test/python/client.py", import.meta.url));
    expect(JSON.parse(await python(script, stubs.path, listener.url.host))).toEqual({
      request: { text: "Grüße" },
      kind: "reply",
      serverStream: [1, 2, 3],
      subscribe: [1, 2],
      clientStream: [1, 2],
      bidiStream: ["a", "b"],
      error: {
        status: "FAILED_PRECONDITION",
        message: "nötig",
        statusCode: 9,
        unpacked: true,
        event: { code: "failed_precondition", message: "nötig", outcome: "rejected", details: { why: [1] } },
      },
      deadline: "DEADLINE_EXCEEDED",
      services: ["parley.v1.Parley", "grpc.health.v1.Health"],
      files: [
        "parley/v1/parley.proto",
        "google/protobuf/empty.proto",
        "parley/v1/cloudevents.proto",
        "google/protobuf/any.proto",
        "google/protobuf/timestamp.proto",
      ],
    });
    await expect.poll(() => aborted.get("text.endless.v1")).toBe("cancelled");
    expect(aborted.get("text.hang.v1")).toBe("deadline_exceeded");
  },
  60_000,
);

unlessMissing(`what reflection tells is what protoc makes of the published files${suffix}`, async () => {
  using folder = temporaryFolder();
  const target = join(folder.path, "set");
  await protoc(
    "--include_imports",
    `--descriptor_set_out=${target}`,
    "parley/v1/parley.proto",
    "grpc/health/v1/health.proto",
  );
  const files: string[] = [];
  const reader = new ProtoReader(readFileSync(target));
  // A google.protobuf.FileDescriptorSet: field 1 is a file.
  while (!reader.done) {
    expect(reader.tag()).toBe(0x0a);
    files.push(reader.bytes().toString("base64"));
  }
  expect(describedFiles.map(({ descriptor }) => descriptor)).toEqual(files);
});
