import { webLimits } from "@parley/core/http/client";
import type { Limits } from "@parley/core/transport";

/** What SSE bears unless it says otherwise: as much as HTTP, which it is. */
export const sseLimits: Limits = webLimits;

/** What both ends take for the window unless told otherwise, ms. */
export const RESUME_WINDOW_MS = 30_000;
