import { webLimits } from "@parley/core/http/client";
import type { Limits } from "@parley/core/transport";

/** What HTTP bears unless it says otherwise. */
export const httpLimits: Limits = webLimits;
