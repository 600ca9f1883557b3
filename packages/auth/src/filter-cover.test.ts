import fc from "fast-check";
import { expect, it } from "vitest";
import { covers } from "./filter-cover.ts";

/** MQTT 5, 4.7, as it stands there. */
function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return levels.length >= index;
    if (index >= levels.length || (level !== "+" && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}

/** Segments of topics: two names, the empty one, a reserved one, and one that no filter here has. */
const names = ["a", "b", "", "$s", "z"];

/** Every topic of up to four segments, and the empty text, which is the parent of `/a`. */
const topics = [1, 2, 3, 4].flatMap((length) => {
  let all: string[][] = [[]];
  for (let depth = 0; depth < length; depth++) all = all.flatMap((one) => names.map((name) => [...one, name]));
  return all.map((one) => one.join("/"));
});

const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "", "$s", "+"), { maxLength: 3 }), fc.boolean())
  .map(([segments, open]) => [...segments, ...(open ? ["#"] : [])].join("/"))
  .filter((text) => text !== "");

it("a filter covers another if, and only if, it matches whatever the other one does", () => {
  fc.assert(
    fc.property(filter, filter, (allowed, wanted) => {
      const beyond = topics.find((topic) => matches(wanted, topic) && !matches(allowed, topic));
      expect([allowed, wanted, covers(allowed, wanted), beyond]).toEqual([
        allowed,
        wanted,
        beyond === undefined,
        beyond,
      ]);
    }),
    { numRuns: 5_000 },
  );
});

it("a filter covers a topic if, and only if, it matches it", () => {
  fc.assert(
    fc.property(filter, fc.constantFrom(...topics), (allowed, topic) => {
      expect(covers(allowed, topic)).toBe(matches(allowed, topic));
    }),
    { numRuns: 5_000 },
  );
});

it.each<[string, string, boolean]>([
  ["agents/+/status", "agents/a/status", true],
  ["agents/+/status", "agents/+/status", true],
  ["agents/+/status", "agents/#", false],
  ["agents/#", "agents", true],
  ["agents/#", "agents/+/status", true],
  ["agents/#", "#", false],
  ["agents/+", "agents/#", false],
  ["#", "+/#", true],
  ["+/#", "#", true],
  ["a/+/#", "a/#", false],
  ["#", "$SYS/#", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/broker", true],
])("%s covers %s: %s", (allowed, wanted, expected) => {
  expect(covers(allowed, wanted)).toBe(expected);
});
