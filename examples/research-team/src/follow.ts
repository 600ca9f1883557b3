import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recorded } from "./record.ts";

const LOOK_MS = 20;

/** The events of a record while it is being written, in the order of the file; ends with what is there when `over` is aborted. */
export async function* follow(path: string, over: AbortSignal): AsyncGenerator<Recorded> {
  await using file = await open(path, "a+");
  const chunk = Buffer.alloc(64 * 1024);
  const utf8 = new TextDecoder();
  let position = 0;
  let rest = "";
  for (;;) {
    // Looked at before reading: what is written until then is in the file.
    const last = over.aborted;
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    position += bytesRead;
    const lines = (rest + utf8.decode(chunk.subarray(0, bytesRead), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Recorded; // written by `recorder`
    if (bytesRead > 0) continue;
    if (last) return;
    await sleep(LOOK_MS);
  }
}
