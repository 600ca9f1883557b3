import type { Contract, Definitions } from "./contract.ts";
import type { Topic } from "./topic.ts";

/** The topics among the entries of a contract. */
export type TopicsOf<C extends Contract> = Contract<{
  readonly [Name in keyof C["operations"] as C["operations"][Name] extends Topic ? Name : never]: C["operations"][Name];
}>;

/** The contract without what is no topic. */
export function topicsOf<C extends Contract>({ name, operations }: C): TopicsOf<C> {
  const topics: Definitions = Object.fromEntries(
    Object.entries(operations).filter(([, entry]) => entry.kind === "topic"),
  );
  // The type says the same by the same rule.
  return { name, operations: topics } as TopicsOf<C>;
}
