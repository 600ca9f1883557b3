import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { follow } from "./follow.ts";
import { recorder } from "./record.ts";

it("gives what is written as it is written, also lines that come in pieces, and ends with the last of it", async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-follow-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "record.ndjson");
  const record = recorder(path, "ada");
  const over = new AbortController();
  const events = follow(path, over.signal);
  const next = async (): Promise<string> => {
    const { value } = await events.next();
    return value && "text" in value ? value.text : "";
  };

  record.incident("note", "ada", "first");
  expect(await next()).toBe("first");
  await appendFile(path, '{"kind":"note","text":"sec');
  const second = next();
  await appendFile(path, 'ond"}\n');
  expect(await second).toBe("second");
  record.incident("note", "ada", "thïrd");
  over.abort();
  expect(await next()).toBe("thïrd");
  expect(await events.next()).toEqual({ done: true, value: undefined });
});
