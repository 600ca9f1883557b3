import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { certificates } from "@parley/test-certificates";
import { expect, it } from "vitest";
import { demoServer, demoStubs, pythonMissing, temporaryFolder } from "../../../packages/transport-grpc/test/python.ts";
import { compile } from "./compile.ts";
import { snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

it("docs/clients/grpc.md compiles and runs against servers in Python", async ({ skip, onTestFinished }) => {
  const reason = await pythonMissing();
  skip(reason !== undefined, reason);
  const { ca, serverCert, serverKey, clientCert, clientKey } = certificates;
  using stubs = temporaryFolder();
  await demoStubs(stubs.path);
  await using plain = await demoServer(stubs.path, { reflection: ["v1alpha"] });
  await using secure = await demoServer(stubs.path, { cert: serverCert, key: serverKey, ca });
  const { folder, files } = snippetsOf("docs/clients/grpc.md", (text) =>
    text.replaceAll(":50051", `:${plain.port}`).replaceAll(":50052", `:${secure.port}`),
  );
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const own = { "ca.pem": ca, "client.pem": clientCert, "client.key": clientKey };
  for (const [name, text] of Object.entries(own)) writeFileSync(join(folder, name), text);
  await compile({ folder, files });
  const printed: Record<string, string> = {};
  for (const file of files) {
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    printed[file] = stdout;
  }
  expect(printed).toEqual({
    "grpc-shapes.ts": "{ text: 'Hello, Ada!' }\n{ total: '3' }\n{ text: 'HELLO' }\n",
    "grpc-reflection.ts": "[ 'demo.v1.Demo' ]\n{ text: 'Hello, Bo!' }\n",
    "grpc-stub.ts": "10 42\n",
    "grpc-options.ts": "{ text: 'after 3' }\ndocs\nresource_exhausted not-sent\nunavailable not yet\n",
  });
}, 60_000);
