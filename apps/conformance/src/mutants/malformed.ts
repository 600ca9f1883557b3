import { type Mutant, mutant, tcpMutant } from "./mutate.ts";
import { type ReadLines, readLines } from "./tcp-lines.ts";

/** An event that somebody might make of one that is none. */
function mended(frame: string): string {
  const template = { specversion: "1.0", parley: "1", id: "mended", source: "/mended", type: "conformance.nothing.v1" };
  return JSON.stringify({ ...template, kind: "request", call: 3 }) + (frame === "" ? " " : "");
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** In memory: what arrives at the listener is made to fit. */
const mending =
  (bad: (frame: string) => boolean) =>
  (): { readonly frameAfterTap: (frame: string) => readonly string[] | undefined } => ({
    frameAfterTap: (frame) => (bad(frame) ? [mended(frame)] : undefined),
  });

/** Text, whatever the bytes are. */
const lenient: ReadLines = (frame) => {
  let rest = "";
  return {
    chunk(bytes) {
      const [first = "", ...others] = bytes.toString("utf8").split("\n");
      rest += first;
      for (const next of others) {
        frame(rest);
        rest = next;
      }
    },
  };
};

/** Mutants of MAL. */
export const malformedMutants: readonly Mutant[] = [
  mutant(
    "takes-any-json",
    "MAL-01",
    "makes an event of what is no JSON",
    mending((frame) => !isJson(frame)),
  ),
  mutant(
    "dispatches-anything",
    "MAL-02",
    "makes an event of what is none",
    mending((frame) => !isJson(frame) || !/^\{"specversion":"1.0","parley":"1","id":"[^"]{1,256}"/.test(frame)),
  ),
  tcpMutant("reads-any-bytes", "MAL-03", "puts U+FFFD for bytes that are no UTF-8", () => ({ read: lenient })),
  tcpMutant("takes-what-came", "MAL-04", "completes a message that breaks off", () => ({
    read: (frame, limit) => {
      const reader = readLines(frame, limit);
      let rest = "";
      return {
        chunk(bytes) {
          rest = (rest + bytes.toString("utf8")).split("\n").at(-1) ?? "";
          reader.chunk(bytes);
        },
        end() {
          if (/"data":"x+$/.test(rest)) frame(`${rest}"}`);
        },
      };
    },
  })),
  tcpMutant("packet-is-message", "MAL-05", "takes what arrives together for whole lines", () => ({
    read: (frame) => ({
      chunk(bytes) {
        for (const line of bytes.toString("utf8").split("\n")) if (line !== "") frame(line);
      },
    }),
  })),
  tcpMutant("takes-its-time", "MAL-06", "keeps whatever comes, however long the line", () => ({ read: lenient })),
];
