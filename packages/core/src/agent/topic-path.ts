import { ParleyError, ValidationError } from "../call/error.ts";
import { checkFilter, checkTopic } from "../envelope/topic-name.ts";

/** A topic's path, taken apart. */
export interface TopicPath {
  /** Matches every topic of the path: `agents/+/status`. */
  readonly filter: string;
  /**
   * The topic with these parameters.
   * @throws ValidationError `not-sent` when one is missing, empty, or holds `/`, `+`, `#` or what no topic can hold.
   */
  topic(params: Readonly<Record<string, unknown>>): string;
  /** The filter for topics with these parameters; those left out match anything. @throws ValidationError `not-sent` */
  filterFor(params: Readonly<Record<string, unknown>>): string;
  /** The parameters in a topic; undefined when it is not of this path. */
  read(topic: string): Readonly<Record<string, string>> | undefined;
}

interface Segment {
  readonly text: string;
  readonly param: boolean;
}

/** Takes a path apart. @throws ParleyError `invalid_argument` naming what is wrong with it. */
export function parsePath(path: string): TopicPath {
  const segments = path.split("/").map((segment) => readSegment(segment, path));
  const names = segments.flatMap(({ text, param }) => (param ? [text] : []));
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw unfit(path, `has the parameter {${repeated}} twice`);
  const filter = checkTopicOrFilter(segments);
  const fill = (params: Readonly<Record<string, unknown>>, missing: (name: string) => string): string => {
    const unknown = Object.keys(params).find((name) => !names.includes(name));
    if (unknown !== undefined) throw unfitParam(path, unknown, "is no parameter of it");
    return segments
      .map(({ text, param }) => {
        if (!param) return text;
        const value = Object.hasOwn(params, text) ? params[text] : undefined;
        return value === undefined ? missing(text) : checkParam(path, text, value);
      })
      .join("/");
  };
  return {
    filter,
    topic: (params) =>
      checkTopic(
        fill(params, (name) => {
          throw unfitParam(path, name, "is missing");
        }),
      ),
    filterFor: (params) => checkFilter(fill(params, () => "+")),
    read: (topic) => readParams(segments, topic),
  };
}

/** Whether some topic is of both paths. */
export function overlap(one: TopicPath, other: TopicPath): boolean {
  const left = one.filter.split("/");
  const right = other.filter.split("/");
  return (
    left.length === right.length &&
    left.every((segment, index) => segment === "+" || right[index] === "+" || segment === right[index])
  );
}

function readSegment(segment: string, path: string): Segment {
  const name = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(segment)?.[1];
  if (name !== undefined) return { text: name, param: true };
  if (/[{}]/.test(segment)) {
    throw unfit(
      path,
      "has a brace that is not around a whole segment; write a parameter as a/{name}/b, the name of letters, digits and _",
    );
  }
  return { text: segment, param: false };
}

function checkTopicOrFilter(segments: readonly Segment[]): string {
  // What is no parameter must be a topic by itself, without wildcards.
  checkTopic(segments.map(({ text, param }) => (param ? "x" : text)).join("/"));
  return segments.map(({ text, param }) => (param ? "+" : text)).join("/");
}

function checkParam(path: string, name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw unfitParam(path, name, "must be text, and not empty");
  if (/[/+#]/.test(value)) throw unfitParam(path, name, `is ${JSON.stringify(value)}; it cannot hold / + or #`);
  return value;
}

function readParams(segments: readonly Segment[], topic: string): Readonly<Record<string, string>> | undefined {
  const values = topic.split("/");
  if (values.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, { text, param }] of segments.entries()) {
    const value = values[index] as string;
    if (param) params[text] = value;
    else if (value !== text) return undefined;
  }
  return params;
}

function unfit(path: string, why: string): ParleyError {
  return new ParleyError("invalid_argument", `the path ${JSON.stringify(path)} ${why}`, { outcome: "not-sent" });
}

function unfitParam(path: string, name: string, why: string): ValidationError {
  return new ValidationError(`the parameter {${name}} of the path ${path} ${why}`, [{ message: why, path: [name] }], {
    outcome: "not-sent",
  });
}
