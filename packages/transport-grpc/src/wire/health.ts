export const HEALTH_SERVICE = "grpc.health.v1.Health";

// grpc.health.v1.HealthCheckResponse.ServingStatus
export const SERVING = 1;
export const NOT_SERVING = 2;
export const SERVICE_UNKNOWN = 3;

/** Tag of `status` in a HealthCheckResponse. */
export const STATUS = 0x08;
