import fc from "fast-check";
import { expect, test } from "vitest";
import { fastestMs } from "../../test/fastest.ts";
import { FilterTree } from "./filter-tree.ts";

function matches(filter: string, topic: string): boolean {
  const tree = new FilterTree<string>();
  tree.add(filter, "here");
  let count = 0;
  tree.match(topic, () => count++);
  expect(count).toBeLessThan(2);
  return count === 1;
}

test.for([
  ["a", "a"],
  ["a/b", "a/b"],
  ["+", "a"],
  ["+/b", "a/b"],
  ["a/+", "a/b"],
  ["a/+", "a/"],
  ["+/+", "/a"],
  ["/+", "/a"],
  ["a/+/c", "a/b/c"],
  ["#", "a"],
  ["#", "a/b/c"],
  ["#", "/"],
  ["a/#", "a"],
  ["a/#", "a/"],
  ["a/#", "a/b/c"],
  ["+/#", "a"],
  ["a/+/#", "a/b"],
  ["$a/b", "$a/b"],
  ["$a/#", "$a/b"],
  ["$a/+", "$a/b"],
  ["a/+", "a/$b"],
  ["a/#", "a/$b"],
] as const)("%s matches %s", ([filter, topic]) => {
  expect(matches(filter, topic)).toBe(true);
});

test.for([
  ["a", "b"],
  ["a", "a/b"],
  ["a", "A"],
  ["a", "ab"],
  ["a/b", "a"],
  ["+", "a/b"],
  ["+", "/a"],
  ["a/+", "a"],
  ["a/+", "a/b/c"],
  ["+/b", "b"],
  ["a/#", "ab"],
  ["a/#", "b"],
  ["a/+/#", "a"],
  ["#", "$a"],
  ["#", "$a/b"],
  ["+", "$a"],
  ["+/b", "$a/b"],
  ["+/#", "$a/b"],
  ["a.b", "a/b"],
  ["*", "a"],
] as const)("%s does not match %s", ([filter, topic]) => {
  expect(matches(filter, topic)).toBe(false);
});

test("overlapping filters give each value once, and the same filter can hold several", () => {
  const tree = new FilterTree<string>();
  for (const [filter, value] of [
    ["a/b", "1"],
    ["a/b", "2"],
    ["a/+", "3"],
    ["#", "4"],
    ["a/#", "5"],
    ["+/b", "6"],
    ["a/c", "7"],
  ] as const) {
    tree.add(filter, value);
  }
  const seen: string[] = [];
  tree.match("a/b", (value) => seen.push(value));
  expect(seen.sort()).toEqual(["1", "2", "3", "4", "5", "6"]);
});

const segment = fc.constantFrom("a", "b", "", "$x", "+");
const filterOf = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, hash]) => [...segments, ...(hash ? ["#"] : [])].join("/"));
const topicOf = fc
  .array(fc.constantFrom("a", "b", "", "$x"), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join("/"));

/** MQTT 5, 4.7, in so many words. */
function rule(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const wanted = filter.split("/");
  const given = topic.split("/");
  const parent = wanted.at(-1) === "#" ? wanted.slice(0, -1) : undefined;
  const [shape, found] = parent ? [parent, given.slice(0, parent.length)] : [wanted, given];
  return shape.length === found.length && shape.every((one, index) => one === "+" || one === found[index]);
}

test("any set of filters matches as the rules say, and leaves nothing behind when it goes", () => {
  fc.assert(
    fc.property(fc.array(filterOf, { maxLength: 20 }), topicOf, (filters, topic) => {
      const tree = new FilterTree<number>();
      for (const [index, filter] of filters.entries()) tree.add(filter, index);
      const seen: number[] = [];
      tree.match(topic, (value) => seen.push(value));
      expect(seen.sort()).toEqual(filters.flatMap((filter, index) => (rule(filter, topic) ? [index] : [])).sort());
      for (const [index, filter] of filters.entries()) expect(tree.delete(filter, index)).toBe(true);
      expect(tree.size).toBe(0);
    }),
  );
});

test("taking away what is not there changes nothing", () => {
  const tree = new FilterTree<string>();
  tree.add("a/b", "x");
  expect(tree.delete("a/b", "y")).toBe(false);
  expect(tree.delete("a", "x")).toBe(false);
  expect(tree.delete("a/b/c", "x")).toBe(false);
  expect(tree.size).toBe(2);
});

test("a topic meets only what it matches among 10,000 filters", () => {
  const few = new FilterTree<string>();
  const many = new FilterTree<string>();
  for (let index = 0; index < 10_000; index++) {
    many.add(`agents/${index}/status`, "x");
    if (index < 10) few.add(`agents/${index}/status`, "x");
  }
  const time = (tree: FilterTree<string>): number => {
    let found = 0;
    const shortest = fastestMs(() => {
      for (let round = 0; round < 20_000; round++) tree.match("agents/7/status", () => found++);
    });
    expect(found).toBe(60_000);
    return shortest;
  };
  time(few);
  // Looking at every filter would take a thousand times as long.
  expect(time(many)).toBeLessThan(50 * time(few));
});
