import { brokerMutants } from "./brokers.ts";
import { connectionMutants } from "./connections.ts";
import { duplicateMutants } from "./duplicates.ts";
import { identityMutants } from "./identity.ts";
import { lastingMutants } from "./lasting.ts";
import { linkMutants } from "./links.ts";
import { loadMutants } from "./loads.ts";
import { malformedMutants } from "./malformed.ts";
import { messageMutants } from "./messages.ts";
import type { Mutant } from "./mutate.ts";
import { processMutants } from "./processes.ts";
import { requestMutants } from "./requests.ts";
import { sessionMutants } from "./sessions.ts";
import { streamMutants } from "./streams.ts";
import { topicMutants } from "./topics.ts";

/** Every mutant. */
export const mutants: readonly Mutant[] = [
  ...messageMutants,
  ...requestMutants,
  ...streamMutants,
  ...topicMutants,
  ...connectionMutants,
  ...malformedMutants,
  ...loadMutants,
  ...linkMutants,
  ...lastingMutants,
  ...processMutants,
  ...sessionMutants,
  ...duplicateMutants,
  ...identityMutants,
  ...brokerMutants,
];
