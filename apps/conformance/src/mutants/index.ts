import { connectionMutants } from "./connections.ts";
import { messageMutants } from "./messages.ts";
import type { Mutant } from "./mutate.ts";
import { requestMutants } from "./requests.ts";
import { streamMutants } from "./streams.ts";
import { topicMutants } from "./topics.ts";

/** Every mutant. */
export const mutants: readonly Mutant[] = [
  ...messageMutants,
  ...requestMutants,
  ...streamMutants,
  ...topicMutants,
  ...connectionMutants,
];
