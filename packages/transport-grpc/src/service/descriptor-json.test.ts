import { fromJSON, load, type MessageTypeDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { protoFolders } from "../../test/protos.ts";
import type { FileDescriptor } from "./descriptor.ts";
import { descriptorJson } from "./descriptor-json.ts";
import { loaderOptions } from "./format.ts";
import { servicesOf } from "./service-method.ts";

const options = loaderOptions({});

/** A file of proto2, as `protoc` describes it. */
const old: FileDescriptor = {
  name: "old.proto",
  package: "demo.old",
  messageType: [
    {
      name: "Old",
      field: [
        { name: "the_name", number: 1, label: "LABEL_REQUIRED", type: "TYPE_STRING" },
        { name: "the_count", number: 2, label: "LABEL_OPTIONAL", type: "TYPE_INT32", defaultValue: "7" },
        { name: "spread_out", number: 3, label: "LABEL_REPEATED", type: "TYPE_INT32" },
        { name: "close_by", number: 4, label: "LABEL_REPEATED", type: "TYPE_INT32", options: { packed: true } },
        { name: "left_out", number: 5, label: "LABEL_OPTIONAL", type: "TYPE_GROUP", typeName: ".demo.old.Old.Left" },
        { name: "is_so", number: 6, label: "LABEL_OPTIONAL", type: "TYPE_BOOL", defaultValue: "true" },
        {
          ...{ name: "mood", number: 7, label: "LABEL_OPTIONAL", type: "TYPE_ENUM", typeName: ".demo.old.Mood" },
          defaultValue: "SAD",
        },
      ],
    },
  ],
  enumType: [
    {
      name: "Mood",
      value: [
        { name: "GLAD", number: 1 },
        { name: "SAD", number: 2 },
        { name: "BLUE", number: 2 },
      ],
    },
  ],
};

function definition(files: readonly FileDescriptor[], name: string): MessageTypeDefinition<object, object> {
  return fromJSON(descriptorJson(files, false), options)[name] as MessageTypeDefinition<object, object>;
}

test("a file of proto2 keeps what is required, packed and the default; groups are left out", () => {
  const { serialize, deserialize } = definition([old], "demo.old.Old");
  const bytes = serialize({ theName: "x", spreadOut: [1, 2], closeBy: [3, 4] });
  expect(bytes.toString("hex")).toBe("0a0178" + "18011802" + "22020304");
  expect(deserialize(bytes)).toEqual({
    ...{ theName: "x", theCount: 7, spreadOut: [1, 2], closeBy: [3, 4], isSo: true, mood: "SAD" },
  });
  expect(() => deserialize(Buffer.alloc(0))).toThrow("theName");
});

test("what is optional in proto3 says whether it is there, as from a file", async () => {
  const proto =
    'syntax = "proto3"; package a; message M { optional string opt_name = 3; oneof a_b { string c_d = 4; } }';
  const { root } = protobuf.parse(proto);
  const fromFile = fromJSON(root.toJSON(), options)["a.M"] as MessageTypeDefinition<object, object>;
  const described = definition(
    [
      {
        name: "m.proto",
        package: "a",
        syntax: "proto3",
        messageType: [
          {
            name: "M",
            field: [
              {
                ...{ name: "opt_name", number: 3, label: "LABEL_OPTIONAL", type: "TYPE_STRING" },
                ...{ oneofIndex: 1, proto3Optional: true },
              },
              { name: "c_d", number: 4, label: "LABEL_OPTIONAL", type: "TYPE_STRING", oneofIndex: 0 },
            ],
            oneofDecl: [{ name: "a_b" }, { name: "_opt_name" }],
          },
        ],
      },
    ],
    "a.M",
  );
  for (const value of [{}, { optName: "" }, { cD: "x" }]) {
    const bytes = fromFile.serialize(value);
    expect(described.serialize(value)).toEqual(bytes);
    expect(described.deserialize(bytes)).toEqual(fromFile.deserialize(bytes));
  }
  expect(described.deserialize(fromFile.serialize({ optName: "" }))).toEqual({ optName: "", _optName: "optName" });
});

describe("names that none can have", () => {
  const file = (change: Partial<FileDescriptor>): FileDescriptor => ({ name: "f.proto", package: "a", ...change });
  const bad = "x(){}globalThis.hacked=1;function y";
  test.each<[string, FileDescriptor]>([
    ["a package", file({ package: `a.${bad}` })],
    ["a message", file({ messageType: [{ name: bad }] })],
    ["a message inside another", file({ messageType: [{ name: "M", nestedType: [{ name: "a-b" }] }] })],
    ["a field", file({ messageType: [{ name: "M", field: [{ name: "a b", number: 1, type: "TYPE_STRING" }] }] })],
    [
      "a type",
      file({
        messageType: [{ name: "M", field: [{ name: "a", number: 1, type: "TYPE_MESSAGE", typeName: ".a.b()" }] }],
      }),
    ],
    ["an enum", file({ enumType: [{ name: "__proto__" }] })],
    ["a value", file({ enumType: [{ name: "E", value: [{ name: "1a", number: 1 }] }] })],
    ["a service", file({ service: [{ name: "" }] })],
    ["a method", file({ service: [{ name: "S", method: [{ name: "a/b", inputType: ".a.M", outputType: ".a.M" }] }] })],
    ["what a method takes", file({ service: [{ name: "S", method: [{ name: "a", inputType: ".a.M;" }] }] })],
  ])("%s is refused", (_what, hostile) => {
    expect(() => descriptorJson([hostile], false)).toThrow("which none can have");
  });
});

test("services and methods are the same by a file and by its descriptors", async () => {
  const includeDirs = [...protoFolders];
  const definitions = await load("demo/v1/demo.proto", { ...options, includeDirs });
  const [{ fileDescriptorProtos } = { fileDescriptorProtos: [] as Buffer[] }] = Object.values(definitions).filter(
    (one): one is MessageTypeDefinition<object, object> => "fileDescriptorProtos" in one,
  );
  const reader = (await load("google/protobuf/descriptor.proto", { enums: String }))[
    "google.protobuf.FileDescriptorProto"
  ] as MessageTypeDefinition<object, FileDescriptor>;
  const files = fileDescriptorProtos.map((bytes) => reader.deserialize(bytes));
  const shape = (all: ReturnType<typeof servicesOf>): unknown =>
    [...all].map(([service, methods]) => [service, [...methods.values()].map(({ name, kind }) => [name, kind])]);
  expect(shape(servicesOf(fromJSON(descriptorJson(files, false), options)))).toEqual(shape(servicesOf(definitions)));
});
