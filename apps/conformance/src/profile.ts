/** How thorough a run is: `quick` for every day, `full` for every night. */
export type Profile = "quick" | "full";

/** Every profile. */
export const profiles: readonly Profile[] = ["quick", "full"];
