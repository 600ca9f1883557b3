import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { protoFolders } from "../../test/protos.ts";
import { describedFiles } from "./descriptors.ts";
import { responseTo } from "./reflection.ts";

/** A published file, as protobufjs reads it. */
function published(...files: readonly string[]): protobuf.Namespace {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith("google/") ? target : `${protoFolders[target.startsWith("grpc/") ? 1 : 0]}/${target}`;
  return root.loadSync([...files], { keepCase: true }).resolveAll();
}

/** Names and numbers of what is in a descriptor, read without knowing of any. */
const text = (descriptor: string): string => Buffer.from(descriptor, "base64").toString("latin1");

test("the descriptors name every message, field and method of the published files, and no other", () => {
  const root = published("parley/v1/parley.proto", "grpc/health/v1/health.proto");
  const all = describedFiles.map(({ descriptor }) => text(descriptor)).join("\n");
  for (const { symbols } of describedFiles) {
    for (const symbol of symbols) expect(root.lookup(symbol)?.fullName).toBe(`.${symbol}`);
  }
  const { methods } = root.lookupService("parley.v1.Parley");
  for (const name of Object.keys(methods)) expect(all).toContain(name);
  for (const name of Object.keys(root.lookupType("io.cloudevents.v1.CloudEvent").fields)) expect(all).toContain(name);
});

test.each([Buffer.alloc(0), Buffer.alloc(100, 0xff), Buffer.alloc(10_000, 0x3a), Buffer.from([0x1a, 0x7f])])(
  "a question that is none is told so (%#)",
  (request) => {
    expect(responseTo(request).toString("latin1")).toContain("not a question");
  },
);
