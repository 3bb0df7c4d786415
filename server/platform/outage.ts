// Tells an outage from a fault: a service that is away, full, loading or slow is for the caller to try again later
// (503), anything else is ours (500).

/** Classes of ioredis and of the MongoDB driver that mean: nobody answered, or not in time. */
const errorNames: ReadonlySet<string> = new Set([
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoTopologyClosedError',
  'MongoWriteConcernError',
  'PoolClearedOnNetworkError',
]);

/** What Redis answers while it cannot serve, and what ioredis says of a connection that is down. */
const messages =
  /^(OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF)\b|Command timed out|Connection is closed|Stream isn't writeable|ECONNREFUSED|ECONNRESET|EPIPE/;

export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return errorNames.has(error.name) || messages.test(error.message) || isOutage(error.cause);
}
