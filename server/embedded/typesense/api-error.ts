/**
 * A refusal in Typesense's own terms: an HTTP status and the text of `{ "message": … }`.
 * Thrown anywhere below the HTTP layer and answered there; every other exception is a bug and becomes a 500.
 */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** For what Typesense can do and this server cannot: said aloud, never approximated. */
export const notSupported = (what: string): ApiError =>
  new ApiError(400, `${what} is not supported by the embedded search server.`);
