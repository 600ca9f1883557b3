/**
 * Values by topic filter, in a tree with a level per segment: a topic meets only the branches it can match, however many filters there
 * are. Matching follows MQTT 5, 4.7: `+` is one segment, `#` its parent and all below, and neither opens a topic that starts with `$`.
 */
export class FilterTree<Value> {
  readonly #root: Node<Value> = newNode();

  /** Adds a value under a checked filter. The same filter can have many. */
  add(filter: string, value: Value): void {
    let node = this.#root;
    for (const segment of filter.split("/")) {
      let child = node.children.get(segment);
      if (!child) {
        child = newNode();
        node.children.set(segment, child);
      }
      node = child;
    }
    node.values.add(value);
  }

  /** Takes a value away, and the branches that it leaves empty. */
  delete(filter: string, value: Value): boolean {
    const segments = filter.split("/");
    const way: Node<Value>[] = [this.#root];
    for (const segment of segments) {
      const next = way[way.length - 1]?.children.get(segment);
      if (!next) return false;
      way.push(next);
    }
    const deleted = way[way.length - 1]?.values.delete(value) ?? false;
    for (let depth = segments.length; depth > 0; depth--) {
      const node = way[depth] as Node<Value>;
      if (node.values.size > 0 || node.children.size > 0) break;
      way[depth - 1]?.children.delete(segments[depth - 1] as string);
    }
    return deleted;
  }

  /** Calls `visit` once for each value whose filter matches the topic. */
  match(topic: string, visit: (value: Value) => void): void {
    walk(this.#root, topic.split("/"), 0, topic.startsWith("$"), visit);
  }

  /** Nodes below the root. A tree without values has none. */
  get size(): number {
    return countNodes(this.#root) - 1;
  }
}

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly values: Set<Value>;
}

function newNode<Value>(): Node<Value> {
  return { children: new Map(), values: new Set() };
}

function walk<Value>(
  node: Node<Value>,
  segments: readonly string[],
  depth: number,
  reserved: boolean,
  visit: (value: Value) => void,
): void {
  const wild = !(reserved && depth === 0);
  if (wild) node.children.get("#")?.values.forEach(visit);
  if (depth === segments.length) return node.values.forEach(visit);
  const exact = node.children.get(segments[depth] as string);
  if (exact) walk(exact, segments, depth + 1, reserved, visit);
  const any = wild ? node.children.get("+") : undefined;
  if (any) walk(any, segments, depth + 1, reserved, visit);
}

function countNodes(node: Node<unknown>): number {
  let count = 1;
  for (const child of node.children.values()) count += countNodes(child);
  return count;
}
