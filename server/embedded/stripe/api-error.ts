/**
 * Stripe's error envelope, and the few ways in which a request may be refused.
 *
 * `executed` decides whether an idempotency key remembers the refusal: Stripe saves what an endpoint answered once it
 * began to execute, and forgets what was refused by validation, authentication, or a lock.
 */

export type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

export interface ErrorBody {
  type: ErrorType;
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  doc_url?: string;
  charge?: string;
  advice_code?: string;
  network_decline_code?: string;
  payment_intent?: object;
  payment_method?: object;
}

export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  readonly executed: boolean;

  constructor(status: number, body: ErrorBody, options: { executed?: boolean } = {}) {
    super(body.message);
    this.name = 'ApiError';
    this.status = status;
    this.body = withDocUrl(body);
    this.executed = options.executed ?? false;
  }
}

/** Stripe adds the address of the code's page whenever an error has a code. */
export function withDocUrl(body: ErrorBody): ErrorBody {
  if (body.code === undefined || body.doc_url !== undefined) return body;
  return { ...body, doc_url: `https://stripe.com/docs/error-codes/${body.code.replaceAll('_', '-')}` };
}

interface InvalidRequest {
  message: string;
  code?: string;
  param?: string;
  status?: number;
}

/** A request refused before anything was executed. */
export function invalidRequest({ message, code, param, status = 400 }: InvalidRequest): ApiError {
  return new ApiError(status, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

export function parameterMissing(param: string): ApiError {
  return invalidRequest({ message: `Missing required param: ${param}.`, code: 'parameter_missing', param });
}

export function parameterUnknown(params: readonly string[]): ApiError {
  return invalidRequest({
    message: `Received unknown parameter${params.length > 1 ? 's' : ''}: ${params.join(', ')}`,
    code: 'parameter_unknown',
    ...(params[0] === undefined ? {} : { param: params[0] }),
  });
}

/** An object named by the path is 404; one named by a parameter is 400, with the parameter's name. */
export function resourceMissing(noun: string, id: string, param?: string): ApiError {
  return new ApiError(
    param === undefined ? 404 : 400,
    {
      type: 'invalid_request_error',
      message: `No such ${noun}: '${id}'`,
      code: 'resource_missing',
      param: param ?? (noun === 'payment_intent' ? 'intent' : 'id'),
    },
    { executed: true },
  );
}

export function unrecognizedUrl(method: string, path: string): ApiError {
  return invalidRequest({
    status: 404,
    message: `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  });
}
