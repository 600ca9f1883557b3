import { type Call, ParleyError } from "@parley/core";
import { checkFilter, choiceOption, knownOptions, type OptionNames } from "@parley/core/transport";
import { covers } from "./filter-cover.ts";
import type { Identity } from "./identity.ts";
import { operationPattern } from "./operation-pattern.ts";

/** What a call does: calls an operation, publishes to a topic, subscribes to a filter. */
export type Access = "call" | "publish" | "subscribe";

/** Lets some callers do something. There are no rules that forbid: what no rule allows is forbidden. */
export interface AccessRule {
  /** What of it. @default all: to call the operations, to publish and subscribe to the topics */
  readonly allow?: readonly Access[] | undefined;
  /** Who: one of these. Of several conditions all must hold; without any the rule is for everybody who is known. */
  readonly principals?: readonly string[] | undefined;
  /** Who: whoever has one of these roles. */
  readonly roles?: readonly string[] | undefined;
  /** Who: whoever has one of these scopes. */
  readonly scopes?: readonly string[] | undefined;
  /** Operations: `"text.summarize"` in all versions, `"text.summarize.v1"`, `"text.*"`, `"*"`. */
  readonly operations?: readonly string[] | undefined;
  /**
   * Filters of topics, with `+` and `#`; `{principal}` is a segment that is the caller's own name. A subscription needs one that covers all that
   * it asks for.
   */
  readonly topics?: readonly string[] | undefined;
}

/** A rule that is ready to be asked. */
export type CompiledRule = (call: Call, identity: Identity) => boolean;

const all: readonly Access[] = ["call", "publish", "subscribe"];

const ruleNames: OptionNames<AccessRule> = {
  allow: true,
  principals: true,
  roles: true,
  scopes: true,
  operations: true,
  topics: true,
};

const PRINCIPAL = "{principal}";

/** Compiles a rule. @throws ParleyError `invalid_argument` for conditions, patterns and filters that are none */
export function compileRule(rule: AccessRule): CompiledRule {
  // A condition that is misspelt would let in more than was meant.
  knownOptions("a rule", rule, ruleNames);
  const { allow = all, principals, roles, scopes, operations, topics } = rule;
  for (const access of allow) choiceOption("allow", access, all);
  const allowed = new Set<Access>(allow);
  const patterns = (operations ?? []).map(operationPattern);
  const filters = (topics ?? []).map((topic) => checkTopics(topic));
  const who: readonly (readonly [readonly string[] | undefined, (identity: Identity) => readonly string[]])[] = [
    [principals, ({ principal }) => [principal]],
    [roles, (identity) => identity.roles ?? []],
    [scopes, (identity) => identity.scopes ?? []],
  ];
  return ({ kind, message: { type, subject } }, identity) => {
    const access = kind === "publish" || kind === "subscribe" ? kind : "call";
    if (!allowed.has(access)) return false;
    if (!who.every(([wanted, has]) => !wanted || has(identity).some((one) => wanted.includes(one)))) return false;
    if (access === "call") return patterns.some((matches) => matches(type));
    return subject !== undefined && filters.some((filter) => isWithin(own(filter, identity), subject));
  };
}

function isWithin(filter: string | undefined, subject: string): boolean {
  return filter !== undefined && covers(filter, subject);
}

/** The filter for one caller. Whoever's name is no single segment, or opens what is reserved, has no topics of their own. */
function own(filter: string, { principal }: Identity): string | undefined {
  if (!filter.includes(PRINCIPAL)) return filter;
  if (!/^[^/+#$][^/+#]*$/.test(principal)) return undefined;
  // Not as a pattern of a replacement, in which $ means something.
  return filter.replaceAll(PRINCIPAL, () => principal);
}

function checkTopics(filter: string): string {
  const misplaced = filter.split("/").some((segment) => segment.includes(PRINCIPAL) && segment !== PRINCIPAL);
  if (!misplaced) return checkFilter(filter);
  const message = `the filter ${JSON.stringify(filter)} has ${PRINCIPAL} beside other characters in a segment`;
  throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
