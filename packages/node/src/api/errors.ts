export type ApiErrorCode =
  | 'API_ADDRESS_IN_USE'
  | 'API_LISTEN_FAILED'
  | 'API_NOT_FOUND'
  | 'API_BAD_REQUEST'
  | 'API_TOO_LARGE'
  /** Something unexpected broke while a request was answered; it is in the log. */
  | 'API_FAILED';

/** A request that cannot be answered, or a server that cannot be started; the message says what to do. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;

  constructor(code: ApiErrorCode, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

export function notFound(message: string): ApiError {
  return new ApiError('API_NOT_FOUND', 404, message);
}

export function badRequest(message: string): ApiError {
  return new ApiError('API_BAD_REQUEST', 400, message);
}
